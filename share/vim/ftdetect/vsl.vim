autocmd BufRead,BufNewFile *.vsl setfiletype vsl
