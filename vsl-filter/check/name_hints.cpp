// Words of Postfix, Sieve, milters and other languages, for those who try them first.
#include "vsl-filter/check/name_hints.h"

#include <array>

namespace rules {
namespace {

constexpr auto kHints = std::to_array<vsl::NameHint>({
    // Rhai
    {"tag", "a value carries no tag: what belongs to it can stand beside it in a map, #{value: x, tag: 1}"},
    {"set_tag", "a value carries no tag: what belongs to it can stand beside it in a map, #{value: x, tag: 1}"},
    // verdicts
    {"reject", "a rule refuses with `deny(\"554 5.7.1 text\")`, or, and the connection goes on, with `info(\"554 5.7.1 text\")`"},
    {"drop", "a rule refuses and closes the connection with `deny(\"554 5.7.1 text\")`"},
    {"fail", "a rule refuses with `deny(\"554 5.7.1 text\")`; an error is raised with `throw \"text\"`"},
    {"defer", "a rule refuses for now with `info(\"451 4.7.1 text\")`"},
    {"tempfail", "a rule refuses for now with `info(\"451 4.7.1 text\")`"},
    {"defer_if_permit", "a rule refuses for now with `info(\"451 4.7.1 text\")`"},
    {"permit", "a rule is content with `accept()` for its stage, with `faccept()` for all that follow"},
    {"allow", "a rule is content with `accept()` for its stage, with `faccept()` for all that follow"},
    {"ok", "a rule is content with `accept()` for its stage, with `faccept()` for all that follow"},
    {"keep", "a rule is content with `accept()` for its stage, with `faccept()` for all that follow"},
    {"dunno", "a rule leaves it to the next one with `next()`"},
    {"pass", "a rule leaves it to the next one with `next()`"},
    {"none", "the value of nothing is written `()`; a rule leaves it to the next one with `next()`"},
    {"discard", "nothing is sent to anybody after `disable_delivery_all()`"},
    {"hold", "a message is put aside with `quarantine(\"name\")`"},
    {"fileinto", "a message is put aside with `quarantine(\"name\")`; this recipient's mail goes to a Maildir with `maildir(rcpt())`"},
    {"redirect", "the message goes to somebody else with `rewrite_rcpt_envelop(old, new)`, to one more with `add_rcpt_envelop(new)`"},
    // the message and its envelope
    {"add_header", "a field of the header is added with `append_header(name, value)` below, with `prepend_header(name, value)` above the others"},
    {"addheader", "a field of the header is added with `append_header(name, value)` below, with `prepend_header(name, value)` above the others"},
    {"header", "a field of the header is read with `get_header(\"Subject\")`"},
    {"headers", "the fields of the header are read with `get_all_headers()`"},
    {"subject", "a field of the header is read with `get_header(\"Subject\")`"},
    {"sender", "the sender of the envelope is `mail_from()`"},
    {"from", "the sender of the envelope is `mail_from()`, the field `get_header(\"From\")`"},
    {"recipient", "the recipient is `rcpt()`, all of them are `rcpt_list()`"},
    {"recipients", "all recipients are `rcpt_list()`"},
    {"rcpts", "all recipients are `rcpt_list()`"},
    {"ip", "the address of the client is `client_ip()`"},
    {"remote_ip", "the address of the client is `client_ip()`"},
    // the language
    {"null", "the value of nothing is written `()`"},
    {"nil", "the value of nothing is written `()`"},
    {"undefined", "the value of nothing is written `()`"},
    {"True", "write `true`"},
    {"False", "write `false`"},
    {"length", "the number of elements or characters is `x.len`"},
    {"size", "the number of elements or characters is `x.len`, that of octets `x.bytes`"},
    {"match", "a text is searched with a regular expression by `text.matches(\"^[a-z]+$\")`"},
    {"printf", "a line for the log is written with `log(\"info\", `...`)`"},
});

}  // namespace

std::span<const vsl::NameHint> name_hints() { return kHints; }

}  // namespace rules
