/* SPDX-License-Identifier: Apache-2.0 */
/* proto/endpoint: which paths the environment means, and what both ends refuse about socket and directory. */
#include "proto/endpoint.h"
#include "tests/support/sv_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_UID 65534

static char dir[64];
static struct sv_err err;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sv-test-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *below(const char *tail)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, tail);
	return p;
}

static void set(const char *var, const char *value)
{
	if (value == NULL)
		assert_int_equal(unsetenv(var), 0);
	else
		assert_int_equal(setenv(var, value, 1), 0);
}

/* ---- paths ---- */

static void the_environment_names_vault_and_socket(void **state)
{
	static const struct {
		const char *vault, *sock, *home, *data, *runtime, *state;
		const char *want_vault, *want_sock, *want_state;
	} t[] = {
		{ NULL, NULL, "/h", NULL, NULL, NULL, "/h/.local/share/sv/vault.db",
		  "/h/.local/state/sv/run/agent.sock", "/h/.local/state/sv" },
		{ NULL, NULL, "/h", NULL, "/run/u", NULL, "/h/.local/share/sv/vault.db", "/run/u/sv/agent.sock",
		  "/h/.local/state/sv" },
		{ NULL, NULL, "/h", NULL, NULL, "/s", "/h/.local/share/sv/vault.db", "/s/sv/run/agent.sock", "/s/sv" },
		{ NULL, NULL, "/h", "/d", "/run/u", NULL, "/d/sv/vault.db", "/run/u/sv/v-*.sock",
		  "/h/.local/state/sv" },
		{ NULL, NULL, "/h", "/h/.local/share", "/r", NULL, "/h/.local/share/sv/vault.db", "/r/sv/agent.sock",
		  "/h/.local/state/sv" },
		/* relative XDG paths are ignored, and empty variables are unset ones */
		{ NULL, NULL, "/h", "data", "run", "state", "/h/.local/share/sv/vault.db",
		  "/h/.local/state/sv/run/agent.sock", "/h/.local/state/sv" },
		{ "", "", "/h", "", "", "", "/h/.local/share/sv/vault.db", "/h/.local/state/sv/run/agent.sock",
		  "/h/.local/state/sv" },
		{ "/v/x.db", NULL, "/h", NULL, "/r", NULL, "/v/x.db", "/r/sv/v-*.sock", "/h/.local/state/sv" },
		{ "/v/x.db", "/q/s", "/h", NULL, "/r", NULL, "/v/x.db", "/q/s", "/h/.local/state/sv" },
		/* two spellings of one path are one vault */
		{ "/h//.local/./share/sv/vault.db", NULL, "/h", NULL, "/r", NULL, "/h/.local/share/sv/vault.db",
		  "/r/sv/agent.sock", "/h/.local/state/sv" },
		{ "/v/./y//z.db/", NULL, "/h/", NULL, "/r/", NULL, "/v/y/z.db", "/r/sv/v-*.sock",
		  "/h/.local/state/sv" },
		{ "/v/../z.db", NULL, "/h", NULL, "/r", NULL, "/v/../z.db", "/r/sv/v-*.sock", "/h/.local/state/sv" },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		const char *star = strchr(t[i].want_sock, '*');
		char sock[SV_PATH_BYTES];
		struct sv_paths p;

		set("SV_VAULT", t[i].vault);
		set("SV_SOCKET", t[i].sock);
		set("HOME", t[i].home);
		set("XDG_DATA_HOME", t[i].data);
		set("XDG_RUNTIME_DIR", t[i].runtime);
		set("XDG_STATE_HOME", t[i].state);
		if (sv_paths_find(&p, &err) != SV_OK)
			fail_msg("row %zu: %s", i, err.msg);
		assert_string_equal(p.vault, t[i].want_vault);
		assert_string_equal(p.state_dir, t[i].want_state);
		if (star == NULL) {
			assert_string_equal(p.socket, t[i].want_sock);
		} else { /* 16 hexadecimal digits stand for the star */
			size_t n = (size_t)(star - t[i].want_sock);

			assert_memory_equal(p.socket, t[i].want_sock, n);
			assert_int_equal(strspn(p.socket + n, "0123456789abcdef"), 16);
			assert_string_equal(p.socket + n + 16, star + 1);
		}
		assert_int_equal(sv_paths_socket(sock, &err), SV_OK);
		assert_string_equal(sock, p.socket);
	}
}

static void two_vaults_have_two_sockets(void **state)
{
	char a[SV_PATH_BYTES], b[SV_PATH_BYTES];

	(void)state;
	set("SV_SOCKET", NULL);
	set("HOME", "/h");
	set("XDG_RUNTIME_DIR", "/r");
	set("SV_VAULT", "/v/a.db");
	assert_int_equal(sv_paths_socket(a, &err), SV_OK);
	set("SV_VAULT", "/v/b.db");
	assert_int_equal(sv_paths_socket(b, &err), SV_OK);
	assert_string_not_equal(a, b);
	/* FNV-1a 64 of "/v/a.db", so that other programs find the socket */
	assert_string_equal(a, "/r/sv/v-796f4e001b87ddfc.sock");
}

static void a_relative_vault_is_taken_from_the_working_directory(void **state)
{
	struct sv_paths p;
	char cwd[SV_PATH_BYTES], want[SV_PATH_BYTES + 16];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	set("HOME", "/h");
	set("SV_VAULT", "x/./v.db");
	set("SV_SOCKET", "/q/s");
	assert_int_equal(sv_paths_find(&p, &err), SV_OK);
	(void)snprintf(want, sizeof(want), "%s/x/v.db", strcmp(cwd, "/") == 0 ? "" : cwd);
	assert_string_equal(p.vault, want);
}

static void paths_that_cannot_be_meant_are_refused(void **state)
{
	static char deep[SV_PATH_BYTES + 8];
	struct sv_paths p;

	(void)state;
	set("SV_VAULT", NULL);
	set("XDG_DATA_HOME", NULL);
	set("XDG_RUNTIME_DIR", NULL);
	set("XDG_STATE_HOME", NULL);
	set("SV_SOCKET", NULL);
	set("HOME", NULL);
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
	assert_non_null(strstr(err.msg, "HOME"));
	set("HOME", "relative");
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
	memset(deep, 'd', 120);
	deep[0] = '/';
	deep[120] = '\0';
	set("HOME", deep); /* a home this deep: the vault is fine, the socket is not */
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
	assert_non_null(strstr(err.msg, "SV_SOCKET"));
	set("SV_SOCKET", "/q/s");
	assert_int_equal(sv_paths_find(&p, &err), SV_OK);
	deep[107] = '\0';
	set("SV_SOCKET", deep); /* 107 bytes are the most */
	assert_int_equal(sv_paths_find(&p, &err), SV_OK);
	deep[107] = 'd';
	deep[108] = '\0';
	set("SV_SOCKET", deep);
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
	memset(deep, 'd', sizeof(deep) - 1);
	deep[0] = '/';
	set("SV_SOCKET", "/q/s");
	set("SV_VAULT", deep);
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
	assert_non_null(strstr(err.msg, "SV_VAULT"));
	set("SV_VAULT", NULL);
	set("HOME", deep);
	assert_int_equal(sv_paths_find(&p, &err), SV_ERR_USAGE);
}

/* ---- the directory ---- */

static void missing_directories_are_made_private(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(sv_endpoint_dir(below("a/b/sock"), &err), SV_OK);
	(void)umask(mask);
	assert_int_equal(lstat(below("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(lstat(below("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(sv_endpoint_dir(below("a/b/sock"), &err), SV_OK); /* and are taken as they are */
	assert_int_equal(sv_endpoint_dir("sock", &err), SV_ERR_USAGE);
	assert_int_equal(sv_endpoint_dir("/sock", &err), SV_ERR_USAGE);
}

static void a_directory_that_is_not_private_is_refused(void **state)
{
	static const mode_t modes[] = { 0755, 0710, 0701, 0770, 0777, 01777 };

	(void)state;
	assert_int_equal(mkdir(below("d"), 0700), 0);
	for (size_t i = 0; i < SV_COUNT(modes); i++) {
		assert_int_equal(chmod(below("d"), modes[i]), 0);
		assert_int_equal(sv_endpoint_dir(below("d/sock"), &err), SV_ERR_DENIED);
	}
	assert_int_equal(chmod(below("d"), 0700), 0);
	assert_int_equal(sv_endpoint_dir(below("d/sock"), &err), SV_OK);
	assert_int_equal(symlink("d", below("link")), 0);
	assert_int_equal(sv_endpoint_dir(below("link/sock"), &err), SV_ERR_DENIED);
	assert_int_equal(close(open(below("file"), O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(sv_endpoint_dir(below("file/sock"), &err), SV_ERR_DENIED);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(below("d"), OTHER_UID, (gid_t)-1), 0);
	assert_int_equal(sv_endpoint_dir(below("d/sock"), &err), SV_ERR_DENIED);
}

/* ---- the socket ---- */

static void a_socket_listens_privately_and_a_stale_one_is_replaced(void **state)
{
	int fd, fd2, c;
	struct stat st;
	uid_t uid;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(sv_endpoint_dir(below("s/sock"), &err), SV_OK);
	assert_int_equal(sv_endpoint_connect(below("s/sock"), &c, &err), SV_ERR_NO_AGENT);
	assert_int_equal(c, -1);
	assert_int_equal(sv_endpoint_listen(below("s/sock"), &fd, &err), SV_OK);
	(void)umask(mask);
	assert_int_equal(lstat(below("s/sock"), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(sv_endpoint_connect(below("s/sock"), &c, &err), SV_OK);
	assert_true((fcntl(c, F_GETFD) & FD_CLOEXEC) != 0);
	assert_false((fcntl(c, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(sv_endpoint_peer_uid(c, &uid, &err), SV_OK);
	assert_int_equal(uid, geteuid());
	close(c);
	close(fd); /* its agent died: the name is there, nobody behind it */
	assert_int_equal(sv_endpoint_connect(below("s/sock"), &c, &err), SV_ERR_NO_AGENT);
	assert_int_equal(sv_endpoint_listen(below("s/sock"), &fd2, &err), SV_OK);
	assert_int_equal(sv_endpoint_connect(below("s/sock"), &c, &err), SV_OK);
	close(c);
	close(fd2);
}

static void what_is_no_socket_of_ours_is_left_alone(void **state)
{
	int fd;
	struct stat st;

	(void)state;
	assert_int_equal(sv_endpoint_dir(below("n/sock"), &err), SV_OK);
	assert_int_equal(close(open(below("n/sock"), O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(sv_endpoint_listen(below("n/sock"), &fd, &err), SV_ERR_DENIED);
	assert_int_equal(fd, -1);
	assert_int_equal(lstat(below("n/sock"), &st), 0);
	assert_int_equal(unlink(below("n/sock")), 0);
	assert_int_equal(symlink("elsewhere", below("n/sock")), 0);
	assert_int_equal(sv_endpoint_listen(below("n/sock"), &fd, &err), SV_ERR_DENIED);
	assert_int_equal(unlink(below("n/sock")), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(sv_endpoint_listen(below("n/sock"), &fd, &err), SV_OK);
	close(fd);
	assert_int_equal(lchown(below("n/sock"), OTHER_UID, (gid_t)-1), 0);
	assert_int_equal(sv_endpoint_listen(below("n/sock"), &fd, &err), SV_ERR_DENIED);
}

static void a_client_refuses_an_open_directory_and_a_foreign_agent(void **state)
{
	int fd, c, ready[2], status;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(sv_endpoint_dir(below("c/sock"), &err), SV_OK);
	assert_int_equal(sv_endpoint_listen(below("c/sock"), &fd, &err), SV_OK);
	assert_int_equal(chmod(below("c"), 0755), 0);
	assert_int_equal(sv_endpoint_connect(below("c/sock"), &c, &err), SV_ERR_DENIED);
	assert_int_equal(c, -1);
	assert_int_equal(chmod(below("c"), 0700), 0);
	assert_int_equal(symlink("c", below("c-link")), 0);
	assert_int_equal(sv_endpoint_connect(below("c-link/sock"), &c, &err), SV_ERR_DENIED);
	close(fd);
	if (geteuid() != 0)
		return;
	/* somebody else listens in our directory */
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(unlink(below("c/sock")), 0);
	assert_int_equal(chown(below("c"), OTHER_UID, (gid_t)-1), 0);
	assert_int_equal(chmod(dir, 0711), 0);
	child = fork();
	if (child == 0) {
		struct sv_err e = SV_ERR_INIT;

		if (setuid(OTHER_UID) != 0 || sv_endpoint_listen(below("c/sock"), &fd, &e) != SV_OK)
			_exit(1);
		if (write(ready[1], "r", 1) != 1)
			_exit(2);
		(void)pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(sv_endpoint_connect(below("c/sock"), &c, &err), SV_ERR_DENIED); /* its directory */
	assert_int_equal(chown(below("c"), 0, (gid_t)-1), 0);
	assert_int_equal(sv_endpoint_connect(below("c/sock"), &c, &err), SV_ERR_DENIED); /* and its listener */
	assert_non_null(strstr(err.msg, "another user"));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void one_process_holds_the_lock(void **state)
{
	int a, b, c;

	(void)state;
	assert_int_equal(sv_endpoint_dir(below("l/sock"), &err), SV_OK);
	assert_int_equal(sv_endpoint_lock(below("l/sock"), false, &a, &err), SV_OK);
	assert_int_equal(sv_endpoint_lock(below("l/sock"), false, &b, &err), SV_ERR_BUSY);
	assert_int_equal(b, -1);
	close(a);
	assert_int_equal(sv_endpoint_lock(below("l/sock"), true, &c, &err), SV_OK);
	close(c);
	assert_int_equal(unlink(below("l/sock.lock")), 0);
	assert_int_equal(symlink("elsewhere", below("l/sock.lock")), 0);
	assert_int_equal(sv_endpoint_lock(below("l/sock"), false, &a, &err), SV_ERR_IO); /* never through a link */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_names_vault_and_socket),
		cmocka_unit_test(two_vaults_have_two_sockets),
		cmocka_unit_test(a_relative_vault_is_taken_from_the_working_directory),
		cmocka_unit_test(paths_that_cannot_be_meant_are_refused),
		cmocka_unit_test_setup_teardown(missing_directories_are_made_private, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_directory_that_is_not_private_is_refused, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_socket_listens_privately_and_a_stale_one_is_replaced, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(what_is_no_socket_of_ours_is_left_alone, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_client_refuses_an_open_directory_and_a_foreign_agent, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(one_process_holds_the_lock, make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
