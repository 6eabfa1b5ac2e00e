" :make checks the rules of this file, :cnext goes through what is wrong. On test files it runs the tests.
if exists('current_compiler')
  finish
endif
let current_compiler = 'vsl'

if expand('%:t:r') =~# '_test$'
  CompilerSet makeprg=vsl-filter\ --test\ %:S
else
  CompilerSet makeprg=vsl-filter\ --check\ %:S
endif
CompilerSet errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%f:%l:%c:\ %tote:\ %m,%-G%.%#
