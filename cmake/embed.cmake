# assay_embed(name glob...): a library with the bytes of every file that matches, behind server/embedded.h. A glob under
# third_party/ also matches in the folders below. The assembler includes the files, so that their size costs no compile
# time; a file that changed is assembled again.
function(assay_embed name)
	set(files)
	foreach(pattern IN LISTS ARGN)
		set(kind GLOB)
		if(pattern MATCHES "^third_party/")
			set(kind GLOB_RECURSE)
		endif()
		file(${kind} found RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
		list(APPEND files ${found})
	endforeach()
	list(REMOVE_DUPLICATES files)
	# In the order of strcmp(), which embedded_find() relies on.
	list(SORT files COMPARE STRING CASE SENSITIVE)
	list(LENGTH files count)

	set(bytes "")
	set(rows "")
	set(paths "")
	set(index 0)
	foreach(file IN LISTS files)
		string(APPEND bytes "\t.balign 16\ndata_${index}:\n\t.incbin \"${CMAKE_SOURCE_DIR}/${file}\"\nend_${index}:\n\t.byte 0\n"
			"path_${index}:\n\t.asciz \"${file}\"\n")
		string(APPEND rows "\t.quad path_${index}, data_${index}, end_${index} - data_${index}\n")
		list(APPEND paths ${CMAKE_SOURCE_DIR}/${file})
		math(EXPR index "${index} + 1")
	endforeach()

	set(asm ${CMAKE_BINARY_DIR}/${name}.S)
	file(CONFIGURE OUTPUT ${asm} @ONLY CONTENT "\t.section .rodata
${bytes}\t.balign 8
\t.globl assay_embedded_count
assay_embedded_count:
\t.quad ${count}
\t.section .data.rel.ro,\"aw\"
\t.balign 8
\t.globl assay_embedded_table
assay_embedded_table:
${rows}\t.quad 0, 0, 0
\t.section .note.GNU-stack,\"\",%progbits
")
	set_source_files_properties(${asm} PROPERTIES OBJECT_DEPENDS "${paths}")
	add_library(${name} STATIC ${asm} ${CMAKE_SOURCE_DIR}/cmake/embedded.c)
	assay_flags(${name})
endfunction()
