# variable "commented" {}
variable "pat_token" {
  description = "A token } with a brace and a \" quote"
  type        = string
  sensitive   = true
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

/* variable "also_commented" {} */
variable "db_password" { type = string }
variable "settings" {
  type = object({
    default = string
  })
}
variable "from_tfvars" {}

locals {
  text = <<-EOT
    variable "in_heredoc" {}
  EOT
  nested = "${lookup({ a = "}" }, "a")}"
}
