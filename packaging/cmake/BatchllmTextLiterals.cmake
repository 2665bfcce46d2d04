# Text files compiled into the program.
#
#   batchllm_text_literals(FILE SEPARATOR COUNT LITERALS)
#
# Sets LITERALS to the bytes of FILE as raw string literals of at most 16,000 bytes with SEPARATOR
# between them, and COUNT to their number; in pieces, because compilers need not accept longer ones.
# Cuts at line ends where there are some, so that no UTF-8 sequence is torn. Configures anew when
# FILE changes.
function(batchllm_text_literals file separator count literals)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" rest)
  set(pieces 0)
  set(text "")
  string(LENGTH "${rest}" left)
  while(left GREATER 0)
    string(SUBSTRING "${rest}" 0 16000 piece)
    string(FIND "${piece}" "\n" line_end REVERSE)
    if(left GREATER 16000 AND line_end GREATER 0)
      string(SUBSTRING "${piece}" 0 ${line_end} piece)
    endif()
    string(LENGTH "${piece}" taken)
    string(SUBSTRING "${rest}" ${taken} -1 rest)
    string(LENGTH "${rest}" left)
    string(APPEND text "R\"text(${piece})text\"${separator}\n")
    math(EXPR pieces "${pieces} + 1")
  endwhile()
  set(${count} ${pieces} PARENT_SCOPE)
  set(${literals} "${text}" PARENT_SCOPE)
endfunction()
