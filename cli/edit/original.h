/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plaintext file that an import came from: does git know it, and how to get rid of it.
 */
#ifndef SV_CLI_EDIT_ORIGINAL_H
#define SV_CLI_EDIT_ORIGINAL_H

#include "vault/base/err.h"

#include <stdbool.h>

enum sv_git_knows { SV_GIT_NO, SV_GIT_TRACKS, SV_GIT_TRACKED };

/*
 * Does git track the file, or did it in any commit?  Runs git without hooks, file system monitor and configuration of
 * the repository that could run programs; SV_GIT_NO also without git.  Blocks.
 */
enum sv_git_knows sv_original_in_git(const char *path);
/*
 * Overwrite the file once with random bytes, truncate and remove it.  Refused for anything but a regular file of ours.
 * What a copy-on-write file system, an SSD, a snapshot or a backup keeps is out of reach.
 */
enum sv_code sv_original_shred(const char *path, struct sv_err *err) SV_CHECK;

#endif
