# SPDX-License-Identifier: Apache-2.0
foreach(module err buf name secmem)
	sv_add_test(test_${module} SOURCES test_${module}.c LIBS sv_base)
endforeach()
