/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock and seccomp.  The kernel's headers of Debian 12 know less than its successors' kernels, so the numbers stand
 * here. Sources: landlock(7), linux/include/uapi/linux/landlock.h, seccomp(2), bpf(2), prctl(2).
 *
 * The seccomp filter refuses (EPERM) rather than allows: an allow-list would have to follow every libc and every
 * SQLite, and a call that is missing from it kills the agent while it holds unsaved work.  What is refused is what an
 * attacker who already runs code in here would want next: another program, process, socket, or a look into another
 * process.
 */
#include "agent/harden.h"

#include "proto/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock ---- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define LL_EXECUTE      (1ull << 0)
#define LL_WRITE_FILE   (1ull << 1)
#define LL_READ_FILE    (1ull << 2)
#define LL_READ_DIR     (1ull << 3)
#define LL_REMOVE_DIR   (1ull << 4)
#define LL_REMOVE_FILE  (1ull << 5)
#define LL_MAKE_DIR     (1ull << 7)
#define LL_MAKE_REG     (1ull << 8)
#define LL_ABI1         ((1ull << 13) - 1)
#define LL_REFER        (1ull << 13) /* ABI 2 */
#define LL_TRUNCATE     (1ull << 14) /* ABI 3 */
#define LL_IOCTL_DEV    (1ull << 15) /* ABI 5 */
#define LL_NET_BIND     (1ull << 0)  /* ABI 4 */
#define LL_NET_CONNECT  (1ull << 1)
#define LL_SCOPE_UNIX   (1ull << 0) /* ABI 6: abstract sockets */
#define LL_SCOPE_SIGNAL (1ull << 1)
#define LL_VERSION      1u
#define LL_PATH_BENEATH 1

struct ll_ruleset {
	uint64_t fs, net, scoped;
};

struct ll_path {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

static void make_dirs(const char *dir)
{
	char path[SV_ERR_MSG_BYTES * 10];
	size_t n = strlen(dir);

	if (n >= sizeof(path))
		return;
	memcpy(path, dir, n + 1);
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
	(void)mkdir(path, 0700);
}

static bool allow(int ruleset, const char *dir, uint64_t access)
{
	struct ll_path rule = { .access = access, .fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	bool ok;

	if (rule.fd < 0)
		return false;
	ok = syscall(SYS_landlock_add_rule, ruleset, LL_PATH_BENEATH, &rule, 0) == 0;
	(void)close(rule.fd);
	return ok;
}

static bool parent_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL || n + 1 >= size)
		return false;
	memcpy(out, path, n);
	out[n] = '\0';
	if (n == 0)
		memcpy(out, "/", 2);
	return true;
}

static bool restrict_files(const struct sv_sandbox *s)
{
	uint64_t all = LL_ABI1, files;
	struct ll_ruleset attr = { 0 };
	size_t attr_bytes = sizeof(attr.fs);
	char dir[4096];
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_VERSION);
	int ruleset;
	bool ok;

	if (abi < 1)
		return false;
	if (abi >= 2)
		all |= LL_REFER;
	if (abi >= 3)
		all |= LL_TRUNCATE;
	if (abi >= 5)
		all |= LL_IOCTL_DEV;
	attr.fs = all;
	if (abi >= 4) {
		attr.net = LL_NET_BIND | LL_NET_CONNECT;
		attr_bytes = sizeof(attr.fs) + sizeof(attr.net);
	}
	if (abi >= 6) {
		attr.scoped = LL_SCOPE_UNIX | LL_SCOPE_SIGNAL;
		attr_bytes = sizeof(attr);
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_bytes, 0);
	if (ruleset < 0)
		return false;
	files = (LL_READ_FILE | LL_WRITE_FILE | LL_READ_DIR | LL_MAKE_REG | LL_REMOVE_FILE | LL_TRUNCATE) & all;
	ok = parent_of(s->vault_path, dir, sizeof(dir));
	if (ok)
		make_dirs(dir);
	ok = ok && allow(ruleset, dir, files);
	make_dirs(s->state_dir);
	ok = ok && allow(ruleset, s->state_dir, files | LL_MAKE_DIR | LL_REMOVE_DIR);
	if (s->socket_path != NULL)
		ok = ok && parent_of(s->socket_path, dir, sizeof(dir)) &&
		     allow(ruleset, dir, LL_REMOVE_FILE | LL_READ_DIR);
#ifdef SV_TESTING
	if (getenv("SV_TEST_CLOCK") != NULL)
		ok = ok && parent_of(getenv("SV_TEST_CLOCK"), dir, sizeof(dir)) && allow(ruleset, dir, LL_READ_FILE);
#endif
	ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	(void)close(ruleset);
	return ok;
}

/* ---- seccomp ---- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Sanitizers start threads and look into their own process at exit. */
#if defined(ARCH) && !defined(__SANITIZE_ADDRESS__)

#define DENY(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static bool restrict_calls(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
		/* the x32 calls have bit 30 set and would walk around every comparison below */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		DENY(SYS_fork),
		DENY(SYS_vfork),
#endif
		DENY(SYS_execve),
		DENY(SYS_execveat),
		DENY(SYS_clone),
		DENY(435 /* clone3 */),
		DENY(SYS_ptrace),
		DENY(SYS_process_vm_readv),
		DENY(SYS_process_vm_writev),
		DENY(SYS_kcmp),
		DENY(434 /* pidfd_open */),
		DENY(438 /* pidfd_getfd */),
		DENY(440 /* process_madvise */),
		DENY(SYS_socket),
		DENY(SYS_socketpair),
		DENY(SYS_connect),
		DENY(SYS_bpf),
		DENY(SYS_perf_event_open),
		DENY(SYS_userfaultfd),
		DENY(425 /* io_uring_setup */),
		DENY(426 /* io_uring_enter */),
		DENY(427 /* io_uring_register */),
		DENY(SYS_add_key),
		DENY(SYS_request_key),
		DENY(SYS_keyctl),
		DENY(SYS_mount),
		DENY(SYS_umount2),
		DENY(SYS_pivot_root),
		DENY(SYS_chroot),
		DENY(SYS_unshare),
		DENY(SYS_setns),
		DENY(SYS_init_module),
		DENY(SYS_finit_module),
		DENY(SYS_kexec_load),
		DENY(SYS_kexec_file_load),
		DENY(428 /* open_tree */),
		DENY(429 /* move_mount */),
		DENY(430 /* fsopen */),
		DENY(431 /* fsconfig */),
		DENY(432 /* fsmount */),
		DENY(442 /* mount_setattr */),
		DENY(SYS_setuid),
		DENY(SYS_setgid),
		DENY(SYS_setreuid),
		DENY(SYS_setregid),
		DENY(SYS_setresuid),
		DENY(SYS_setresgid),
		DENY(SYS_prctl), /* dumpable stays as it is; this filter is the last that needs it */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

#else

static bool restrict_calls(void)
{
	return false;
}

#endif

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

void sv_harden_sandbox(const struct sv_sandbox *s, uint32_t *status)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#if !defined(__SANITIZE_ADDRESS__)
	(void)prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
#endif
	if (restrict_files(s))
		*status |= SV_STATUS_SANDBOX;
	if (restrict_calls())
		*status |= SV_STATUS_SECCOMP;
}
