# SPDX-License-Identifier: Apache-2.0
# Unit tests of the vault library.
foreach(name test_kdf test_record test_rows test_names test_vfs test_migrate test_vault_life test_vault_items test_vault_undo test_vault_attack test_vault_fault
		test_vault_memory test_vectors)
	sv_add_test(${name} SOURCES ${name}.c LIBS sv_vault)
endforeach()
