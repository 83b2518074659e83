# SPDX-License-Identifier: Apache-2.0
# Unit tests of sv edit: documents, merges, editors, drafts.
if(TARGET sv_edit)
	foreach(module doc bad_text merge editor metatext draft)
		sv_add_test(test_edit_${module} SOURCES test_edit_${module}.c LIBS sv_edit PkgConfig::SODIUM)
	endforeach()
endif()
