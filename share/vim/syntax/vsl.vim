" Rules of vSMTP (vSL): see vsl(7).
" Made by tests/tools/editor_help.cpp from the tables of the language and of the API.
if exists('b:current_syntax')
  finish
endif
let s:saved_cpo = &cpo
set cpo&vim
syntax case match
syntax sync minlines=300

syntax keyword vslConstant code451_7_24 code550_7_20 code550_7_21 code550_7_22 code550_7_23 code550_7_24 code550_7_25 code550_7_26
syntax keyword vslConstant code550_7_27 code554_7_1 code556_1_10 code_greylist net_10 net_172 net_192 non_routable_net
syntax keyword vslFunction E PI abs accept acos acosh add add_header add_rcpt add_rcpt_envelop add_rcpt_message add_to addresses
syntax keyword vslFunction all append append_footer append_header arc_seal arc_verify as_string asin asinh atan atanh bcc bits blob
syntax keyword vslFunction body build bytes c451_3_0 c451_7_1 c451_7_24 c500_7_26 c550_1_1 c550_7_20 c550_7_21 c550_7_22 c550_7_23
syntax keyword vslFunction c550_7_24 c550_7_25 c550_7_26 c550_7_27 c554_7_1 c556_1_10 captures ceiling chars check check_dmarc
syntax keyword vslFunction check_helo check_host check_mail_relay check_raw check_rcpt check_rcpt_relay check_relay check_sender
syntax keyword vslFunction check_spf check_spf_inner chop clear client_address client_counts client_ip client_port
syntax keyword vslFunction client_reputation cmd_run connection_timestamp cos cosh count count_header create_header
syntax keyword vslFunction create_signature credentials crop ctx curry date db_add db_query db_rm debug decode decode_blob decoded
syntax keyword vslFunction dedup defer deliver_all deny disable_delivery disable_delivery_all dkim_sign dkim_verify dmarc
syntax keyword vslFunction dnsbl_lists dnsbl_score domain domains drain dump dump_all each elapsed encode end ends_with env err
syntax keyword vslFunction error exit exp expire extract faccept fill_with filter find find_all find_map floor flow for_each
syntax keyword vslFunction forward forward_all fraction get get_all_headers get_bit get_bits get_dmarc_record get_domain
syntax keyword vslFunction get_domains get_header get_header_untouched get_headers get_local_part get_local_parts get_private_keys
syntax keyword vslFunction get_root_domain get_variable has_attachment has_header has_result hash headers hold hostname hypot
syntax keyword vslFunction in_domain index_of info insert int is_anonymous is_authenticated is_early_talker is_empty is_even
syntax keyword vslFunction is_exclusive is_finite is_inclusive is_infinite is_match is_multipart is_nan is_null is_odd is_secured
syntax keyword vslFunction is_stressed is_zero join keys len limit lmtp lmtp_all ln local_part local_parts log log_debug log_error
syntax keyword vslFunction log_info log_trace log_warn lookup loopback mail_str mail_timestamp mailbox mailbox_all maildir
syntax keyword vslFunction maildir_all make make_lower make_upper map matches max mbox mbox_all md5 message_id min mixin msg mx
syntax keyword vslFunction name named_captures network_counts new_address next no_bounce non_routable now packet pad parse
syntax keyword vslFunction parse_be_float parse_be_int parse_float parse_int parse_json parse_le_float parse_le_int
syntax keyword vslFunction parse_rfc5322_from parts pattern penalty pipe_to policy pop prepend_header print priority private6
syntax keyword vslFunction program program_all ptr_valid push quarantine query range range_10 range_172 range_192 rcpt_list
syntax keyword vslFunction recipient recipients record reduce reduce_rev regex_escape remove remove_header remove_part remove_rcpt
syntax keyword vslFunction remove_rcpt_envelop remove_rcpt_message remove_to rename_header replace replace_regex resolver result
syntax keyword vslFunction retain retry_after reverse rewrite_mail_from rewrite_mail_from_envelop rewrite_mail_from_message
syntax keyword vslFunction rewrite_rcpt rewrite_rcpt_envelop rewrite_rcpt_message rewrite_to rg_10 rg_172 rg_192 rlookup rm
syntax keyword vslFunction rm_header rm_rcpt round run run_cmd rw_mail_from rw_rcpt seal send_mail sender server_address server_ip
syntax keyword vslFunction server_name server_port set set_bit set_bits set_header set_routing_path set_variable sha1 sha256 sha512
syntax keyword vslFunction shift sign sign_dkim sin sinh sleep some sort sort_by sort_desc splice split split_regex split_rev sqrt
syntax keyword vslFunction srv start starts_with store stringify strip sub_string success take tan tanh text time timestamp
syntax keyword vslFunction to_array to_binary to_blob to_chars to_debug to_degrees to_float to_hex to_int to_json to_lower to_octal
syntax keyword vslFunction to_radians to_string to_upper trace trim truncate trusted txt type_of unix_users user_exist values
syntax keyword vslFunction variable verify verify_dkim warn write write_ascii write_be write_le write_utf8 zip
syntax match vslFunction "\<\%(address\|auth\|authenticate\|code\|connect\|contains\|deliver\|file\|fqdn\|helo\|identifier\|ip4\|ip6\|mail\|mail_from\|rcpt\|regex\|rg4\|rg6\)\>\ze\s*!\?("
syntax keyword vslCallable Fn call curry debug eval is_def_fn is_def_var is_shared print type_of
syntax keyword vslControl break catch continue do else for if loop return switch throw try until while
syntax keyword vslDeclaration const fn let private
syntax keyword vslImport as export global import
syntax keyword vslOperator in is not
syntax keyword vslLiteral false this true
syntax keyword vslReserved async await case default go goto match module new nil null package protected public shared spawn static
syntax keyword vslReserved super sync thread use var void with yield
syntax keyword vslDirective action delegate rule test

" `object NAME TYPE = ...`, `service NAME db:KIND = ...`
syntax match vslObject "\<\%(obj\|object\|service\)\>\ze\s\+[\"A-Za-z_]"
syntax match vslType "\%(\<\%(obj\|object\|service\)\s\+\h\w*\s\+\)\@<=\h\w*\%(:\h\w*\)\?"
syntax match vslStage "\<\%(auth\|authenticate\|connect\|data\|deliver\|delivery\|helo\|mail\|mail_from\|on_auth\|on_connect\|on_data\|on_helo\|on_mail_from\|on_post_queue\|on_pre_queue\|on_rcpt_to\|post_queue\|postq\|pre_queue\|preq\|rcpt\|rcpt_to\)\>\ze\s*:[^:]"

" Stages stand before a colon. Elsewhere their names are ordinary words, and behind a dot and as keys all words are.
syntax match vslMember "\.\s*\h\w*" contains=vslFunction,vslCallable
syntax match vslNamespace "\<\h\w*\ze::"
syntax match vslNumber "\<\d[0-9_]*\%(\.\%(\.\|\h\)\@!\d*\)\?\%([eE][+-]\?\d[0-9_]*\)\?"
syntax match vslNumber "\<0[xX][0-9a-fA-F_]\+\>\|\<0[oO][0-7_]\+\>\|\<0[bB][01_]\+\>"

syntax match vslEscape contained "\\[tnr\\\"']\|\\x\x\{2}\|\\u\x\{4}\|\\U\x\{8}\|\"\"\|\\$"
syntax match vslCharacter "'\%([^'\\]\|\\[tnr\\\"']\|\\x\x\{2}\|\\u\x\{4}\|\\U\x\{8}\)'"
syntax region vslString start=+"+ skip=+\\\\\|\\"\|""+ end=+"+ contains=vslEscape
syntax region vslRawString start=+\z(#\+\)"+ end=+"\z1+
syntax region vslTemplate start=+`+ skip=+``\|\\\${+ end=+`+ contains=vslInterpolation
syntax region vslInterpolation contained matchgroup=vslInterpolationMark start=+${+ end=+}+ contains=TOP
syntax region vslBlock transparent start=+{+ end=+}+ contains=TOP fold

syntax keyword vslTodo contained TODO FIXME XXX NOTE
syntax region vslComment start="//" end="$" oneline contains=vslTodo,@Spell
syntax region vslDocComment start="//[/!]" end="$" oneline contains=vslTodo,@Spell
syntax region vslComment start="/\*" end="\*/" contains=vslComment,vslTodo,@Spell
syntax match vslComment "\%^#!.*"

highlight default link vslControl Statement
highlight default link vslDeclaration Keyword
highlight default link vslImport Include
highlight default link vslOperator Operator
highlight default link vslLiteral Constant
highlight default link vslCallable Function
highlight default link vslReserved Error
highlight default link vslDirective Keyword
highlight default link vslObject StorageClass
highlight default link vslType Type
highlight default link vslStage Label
highlight default link vslFunction Function
highlight default link vslConstant Constant
highlight default link vslNamespace Identifier
highlight default link vslNumber Number
highlight default link vslEscape SpecialChar
highlight default link vslCharacter Character
highlight default link vslString String
highlight default link vslRawString String
highlight default link vslTemplate String
highlight default link vslInterpolationMark Special
highlight default link vslTodo Todo
highlight default link vslComment Comment
highlight default link vslDocComment SpecialComment

let b:current_syntax = 'vsl'
let &cpo = s:saved_cpo
unlet s:saved_cpo
