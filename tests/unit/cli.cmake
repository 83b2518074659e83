# SPDX-License-Identifier: Apache-2.0
# Unit tests of the client.
foreach(module opts childenv units json out ref spawn)
	sv_add_test(test_${module} SOURCES test_${module}.c LIBS sv_cli_core)
endforeach()
foreach(module generate say settings value prompt help clipboard)
	sv_add_test(test_${module} SOURCES test_${module}.c LIBS sv_cli)
endforeach()
