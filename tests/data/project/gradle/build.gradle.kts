// System.getenv("COMMENTED")
publishing {
    repositories {
        maven("https://maven.pkg.github.com/acme/lib") {
            credentials {
                username = System.getenv("GRADLE_USER")
                password = providers.environmentVariable("GRADLE_TOKEN").get()
            }
        }
    }
}
