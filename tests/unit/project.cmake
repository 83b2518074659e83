# SPDX-License-Identifier: Apache-2.0
# Unit tests of what reads a project's files.
foreach(module manifest dockerfile discover ignore template consent)
	if(TARGET sv_project_read AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/unit/test_${module}.c")
		sv_add_test(test_${module} SOURCES test_${module}.c LIBS sv_project_read)
	endif()
endforeach()
