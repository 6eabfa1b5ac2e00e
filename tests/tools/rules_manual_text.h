// What people wrote of vsl(7); rules_manual.cpp puts the tables between.
#pragma once

#include <string_view>

constexpr std::string_view kIntroduction = R"M(.\" Made by tests/tools/rules_manual.cpp from the tables of the API.
.Dd November 22, 2026
.Dt VSL 7
.Os vSMTP
.Sh NAME
.Nm vsl
.Nd the language of mail rules
.Sh DESCRIPTION
vSL is the language in which a postmaster says what becomes of mail.
A script is compiled once and then run by
.Xr vsl-filter 1
for every session and message: as a filter in a chain, as a policy server of
Postfix, and by hand on saved messages.
.Sh TUTORIAL
A script ends in a map of stages.
Each stage is a list of rules, which are run from the first to the last:
.Bd -literal -offset indent
#{
    rcpt: [
        rule "only for us" || if in_domain(rcpt()) {
            next()
        } else {
            info("554 5.7.1 We do not relay")
        },
    ],
    preq: [
        action "stamp" || append_header("X-Checked", "yes"),
        rule "lottery" || if "lottery" in get_header("Subject") {
            deny("554 5.7.1 No, thank you")
        } else {
            accept()
        },
    ],
}
.Ed
.Pp
A
.Ic rule
yields a status.
.Fn next
goes on with the next rule, every other status ends the stage:
.Fn accept
is content,
.Fn deny
refuses and closes the connection,
.Fn info
sends a reply and lets the client go on,
.Fn quarantine
puts the message aside.
An
.Ic action
only does something.
What stands between
.Ql ||
and the comma is any one statement; braces make one of many.
.Pp
Put it into
.Pa main.vsl
and look at what it makes of a saved message:
.Bd -literal -offset indent
$ vsl-filter --check main.vsl
$ vsl-filter main.vsl message.eml
$ vsl-filter --trace main.vsl message.eml
.Ed
.Pp
Lists of addresses, networks and names are objects.
They are compared as what they are: a client's address is found in a range,
an address of the envelope in a domain, a name without regard to case.
.Bd -literal -offset indent
object friends group = [
    object office rg4 = "192.0.2.0/24",
    object backup ip6 = "2001:db8::5",
];
object refused file:fqdn = "refused-domains.txt";

#{
    connect: [
        rule "friends" || if client_ip() in friends { faccept() } else { next() },
    ],
    mail: [
        rule "refused domains" || if mail_from() in refused {
            deny(object sorry code = #{ code: 554, enhanced: "5.7.1", text: "Go away" })
        } else {
            next()
        },
    ],
}
.Ed
.Pp
What several rules need stands in a function, what several scripts need in a
file of its own:
.Bd -literal -offset indent
import "objects" as site;       // objects.vsl beside this file

fn is_one_of_us() {
    is_authenticated() || client_ip() in site::friends
}
.Ed
.Pp
Beside the rules, tests say what is to come of them, and
.Ql vsl-filter --test main_test.vsl
runs them:
.Bd -literal -offset indent
[
    test "nobody relays through us" #{
        client_ip: "203.0.113.7", helo: "mail.client.example",
        from: "ann@client.example", to: "eve@elsewhere.example",
        rcpt: "info 554 5.7.1 We do not relay",
    },
]
.Ed
.Pp
Whole rule sets with their tests are in
.Pa examples/rules .
)M";

constexpr std::string_view kStagesIntroduction = R"M(.Sh STAGES
Rules of a stage run when the client has said what belongs to it; then
they know what is listed here, and what earlier stages knew.
Stages that a script leaves out let everything pass.
)M";

constexpr std::string_view kDirectives = R"M(.Sh DIRECTIVES
.Bl -tag -width Ds
.It Ic rule Qo Ar name Qc Li || Ar statement
Must yield a status.
A path without one, as an
.Ic if
without
.Ic else ,
is an error.
.It Ic action Qo Ar name Qc Li || Ar statement
What it yields is ignored.
.It Ic rule Qo Ar name Qc Li #{ Cm description : Ar text , Cm evaluate : Li || Ar statement Li }
The long form; keys beside
.Cm evaluate
are for people and tools.
.It Ic delegate Ar service Qo Ar name Qc Li || Ar statement
A content filter sees the message, then the statement decides; see
.Sx Delegation .
.El
.Pp
A name may be given once in a stage.
A directive that fails, by an error of a function, by
.Ic throw ,
or because it uses too much time or memory, ends its stage as
.Cm rules.on_error
of
.Xr vsmtp.ini 5
says, by default like
.Fn deny ;
the log names stage, directive, file, line and column.
Effects are immediate: a later directive sees what an earlier one did.
.Ss Delegation
In
.Cm postq
and
.Cm delivery
a content filter that speaks SMTP can see a message, and change it:
.Bd -literal -offset indent
service av smtp = #{
    delegator: #{ address: "127.0.0.1:10026", timeout: "60s" },
    receiver: "127.0.0.1:10025",
};
#{ postq: [
    rule "before" || next(),
    delegate av "scan" || if has_header("X-Virus-Infected") {
        quarantine("virus")
    } else { next() },
    rule "after" || next(),
] }
.Ed
.Pp
At the directive the rules stop, and
.Xr queue-run 8
sends the message to
.Cm delegator
with its own envelope and, in front, the field
.Dl X-VSMTP-DELEGATION: sent; stage=postq; directive="scan"; id="ID"
The filter, which must leave the field where it is
.Pq Ql report_safe 0 No for SpamAssassin ,
sends it to
.Cm receiver ,
an address on which
.Xr smtpd 8
listens with these rules in its chain;
.Ql vsmtp up --rules
starts that one by itself, and
.Ql vsl-filter --receivers
prints these addresses.
There it takes the place of the one that waits, its fields of that name are taken out, and the rules go on with the statement of the
directive, which sees the message as the filter has made it.
Sender, recipients, variables and all else are as they were, whatever the filter has made of the envelope.
.Pp
On the address of a
.Cm receiver
no rules of the session run.
What a filter brings back there is refused with
.Ql 500 Delegation header not found ,
.Ql stage not matching ,
.Ql directive not found
or
.Ql failed to get old context
unless it is a message that waits for just that; one that is back already is taken and forgotten, and clients that are not in
.Cm clients
are turned away.
On any other address the field means nothing.
One that stands in the message before it is delegated does not go out to the filter.
.Pp
While it is away, the message waits in
.Pa delegated/ .
When the filter is not there or refuses it, that is tried again as a delivery is.
One that has not come back within
.Cm queue.delegation_time
is lost, and
.Cm queue.delegation_lost
says what becomes of it; a filter that throws spam away wants
.Cm drop .
One of several hundred recipients may reach the filter in several pieces: the first that is back counts.
.Pp
Names of delegations are unique in both stages, have no quotes and at most 200 octets.
A filter that is asked for names with other letters than those of ASCII must offer SMTPUTF8.
When the rules have changed and the directive is gone, the stage runs from its begin.
In trials and tests
.Pq Fl -test
nothing is sent: the message is back at once as it is, and the stage has two statuses, as in
.Ql postq: ["delegated", "quarantine"] .
.Ss Hooks
A script whose last expression is no map, but which has functions
.Fn on_STAGE ctx ,
is one in the style of vSMTP 3.
Such a function yields the status of its stage, or what
.Fn ctx.run
makes of an array of directives:
.Bd -literal -offset indent
fn on_helo(ctx) {
    if ctx.helo == "localhost" { status::deny("550 5.7.1 who are you?") } else { status::next() }
}
fn on_rcpt_to(ctx) {
    const ours = #{
        "example.org": [ rule "known" |ctx| if rcpt() in users { status::accept() } else { status::next() } ],
    };
    let flow = ctx.flow(ours);
    ctx.run(ours, flow.domain) ?? status::deny("554 5.7.1 no relay")
}
.Ed
.Pp
.Fn ctx.run
yields () where there are no rules, which as the value of a hook is
.Fn next .
Closures of directives may take
.Ql ctx
as their only parameter, in scripts of either style.
.Ss Rules per domain
vSMTP 2 was given a folder: a script for all, and for each domain of ours one for
mail that comes in, leaves, or stays within.
Here rules begin in one file, which says the same.
Each of the scripts gives its map a name,
.Ql export const stages = #{ rcpt: [ ... ] } ,
and beside them stands
.Pa main.vsl :
.Bd -literal -offset indent
import "root" as root;
import "example.org/incoming" as incoming;
import "example.org/outgoing" as outgoing;
import "example.org/internal" as internal;

// The rules of the domain, or of the longest one above it; else those for all.
fn run_stage(ctx, stage) {
    let flow = ctx.flow(#{ "example.org": () });
    let rules = switch flow.type {
        "inbound" => incoming::stages,
        "outbound" => outgoing::stages,
        _ => internal::stages,
    };
    ctx.run(#{ "example.org": rules[stage] ?? [] }, flow.domain) ?? ctx.run(root::stages[stage] ?? [])
}
fn on_connect(ctx) { ctx.run(root::stages.connect ?? []) }
fn on_mail_from(ctx) { run_stage(ctx, "mail") }
fn on_rcpt_to(ctx) { run_stage(ctx, "rcpt") }
fn on_pre_queue(ctx) { run_stage(ctx, "preq") }
.Ed
.Pp
A message to several domains has the rules of its last recipient's; vSMTP 2 made
copies of it.
.Sh STATUSES
.Bl -tag -width Ds
.It Fn next
The next directive, then the next stage.
.It Fn accept
This stage is over, the next one runs.
.It Fn faccept
All later stages are skipped and the message is delivered.
.It Fn deny
The client gets the reply, by default
.Ql 554 permanent problems with the remote server ,
the connection is closed, later stages are skipped.
In
.Cm postq
and
.Cm delivery
every recipient fails.
.It Fn info reply
The client gets this reply instead of the usual one, nothing advances, the
connection goes on.
In
.Cm rcpt
a reply of 4xx or 5xx takes the recipient away.
.It Fn quarantine name
Later stages are skipped, the client sees success, and the message is kept in
the quarantine of this name and not delivered.
.El
.Pp
A reply is a code object or a text:
.Ql 451 4.7.1 Please come again ,
.Ql 250 Fine .
Long ones are folded.
.Pp
What
.Cm connect , helo
and
.Cm authenticate
decide for good holds for the connection; from
.Cm mail
on for the transaction.
Fields, variables and recipients that they add stay for every transaction of the
connection.
When a client greets again, the rules of
.Cm helo
run on what there was before the greeting: what they added for an earlier one is
gone.
)M";

constexpr std::string_view kObjects = R"M(.Sh OBJECTS
.Bd -literal -offset indent
object NAME TYPE = VALUE;
object NAME TYPE = #{ value: VALUE, note: "for people" };
object NAME file:TYPE = "/path/to/lines.txt";
.Ed
.Pp
declares a constant, and is an expression with the object as its value.
The type is also a function:
.Ql ip4(\(dq192.0.2.1\(dq) .
A wrong value is an error when the rules are loaded.
In a file there is one value a line; empty lines and lines that begin with
.Ql #
do not count.
.Bl -column "identifier" "example" -offset indent
.It Sy type Ta Sy value
.It ip4, ip6 Ta \(dq192.0.2.1\(dq, \(dq2001:db8::1\(dq
.It rg4, rg6 Ta \(dq192.0.2.0/24\(dq, \(dq192.0.2.1-192.0.2.9\(dq, \(dq2001:db8::/32\(dq
.It address Ta \(dqann@example.org\(dq
.It fqdn Ta \(dqexample.org\(dq
.It identifier Ta \(dqann\(dq, a local-part
.It string Ta any text
.It regex Ta \(dq^[a-z]+$\(dq, in the syntax of RE2
.It group Ta an array of objects
.It code Ta \(dq554 5.7.1 No\(dq, or #{ code: 554, enhanced: \(dq5.7.1\(dq, text: \(dqNo\(dq }
.El
.Pp
.Ic is
and
.Ic ==
compare: an address with a domain by its domain, with an identifier by its
local-part, anything with a regex by searching it.
Domains compare without regard to case, local-parts exactly.
.Ql x in c
looks for an equal element in groups, files and arrays, also within ranges and
groups that are elements of them; for an address in a range; for a text in a
text.
)M";

constexpr std::string_view kServicesIntroduction = R"M(.Sh SERVICES
.Bd -literal -offset indent
service NAME KIND = #{ option: value, ... };
.Ed
.Pp
declares what lives longer than a run: databases and programs, shared by all
rules.
Durations are texts as
.Ql 200ms
or
.Ql 1h 30m .
A service that fails raises an error with its name, which
.Ic try
can catch.
)M";

constexpr std::string_view kLanguage = R"M(.Sh LANGUAGE
.Ss Values
.Bl -column "timestamp" "example" -offset indent
.It Sy type_of() Ta Sy written
.It () Ta (), nothing
.It bool Ta true, false
.It i64 Ta 42, 1_000, 0xff, 0o17, 0b101; 64 bits, overflow is an error
.It f64 Ta 4.2, 1e3
.It char Ta 'x'
.It string Ta \(dqx\(dq with \et \en \er \e\e \e\(dq \ex41 \eu00e9; `text with ${expression}`; #\(dqraw\(dq#
.It array Ta [1, \(dqa\(dq]
.It map Ta #{ name: 1, \(dqany text\(dq: 2 }
.It range Ta 1..5, 1..=5
.It \&Fn Ta \&|a, b\&| a + b, \&Fn(\(dqname\(dq)
.El
.Pp
Values are copied when they are assigned or handed over.
A variable that a closure uses is shared with it.
A method changes the variable it is called on:
.Ql list.push(1) .
Every function can be called both ways,
.Ql len(text)
and
.Ql text.len() ;
some are properties too,
.Ql text.len .
.Ss Operators
From the tightest to the loosest; all but
.Ql **
and the unary ones group from the left.
.Bl -column "<< >> and more" "meaning" -offset indent
.It \&. ?. \&[ \&] ?[ \&] \&( \&) Ta members, elements, calls; ?. and ?[ of () are ()
.It - + \&! not Ta unary
.It << >> Ta shifts
.It ** Ta power
.It * / % Ta
.It + - Ta also of texts, with anything
.It .. ..= Ta ranges
.It ?? Ta the right side if the left one is ()
.It < <= > >= Ta
.It in !in Ta also not in
.It == != is not Ta
.It && & Ta
.It \&|\&| \&| ^ Ta
.El
.Ss Statements
.Bd -literal -offset indent
let x = 1;                  const LIMIT = 5;
if a { } else if b { } else { }
switch x { 1 | 2 => f(), 3..9 if ok => { }, _ => g() }
for x in list { }           for (x, i) in list { }
while a { }                 do { } until a
loop { break 5; }           continue
fn f(a, b) { a + b }        private fn g() { return 1; }
try { } catch (e) { }       throw "text"
import "file" as m;         export const NAME = 1;
.Ed
.Pp
The value of a block is that of its last statement;
.Ic if ,
.Ic switch ,
loops and blocks are expressions.
Conditions must be bool.
A function sees its parameters, other functions, imports, and the constants of
its file as
.Ql global::NAME ;
no other variables.
.Ic this
is what a method was called on.
.Pp
.Ic catch
binds what was thrown: a text if a function of rules failed, a map with
.Cm error , message
and
.Cm line
if the language did.
.Pp
Comments are
.Ql // ,
.Ql /* */
which nest, and
.Ql ///
for a description of the function that follows.
)M";

constexpr std::string_view kFunctionsIntroduction = R"M(Arguments named
.Ql any
take texts and objects.
Names of earlier versions of vSMTP and the namespaces of version 2, as
.Ql state::accept
and
.Ql msg::get_header ,
are accepted too;
.Ql vsl-filter --api NAME
tells all spellings.
)M";

constexpr std::string_view kLanguageFunctionsIntroduction = R"M(The first argument may stand in front:
.Ql text.split(\(dq,\(dq) .
)M";

constexpr std::string_view kConfiguration = R"M(.Ql toml::SECTION.KEY
is a setting of
.Xr vsmtp.ini 5 ,
as
.Ql toml::server.domain .
Passwords and keys are not shown.
)M";

constexpr std::string_view kBodies = R"M(.Sh BODIES OF MESSAGES
What rules do not change goes on octet by octet, without a copy; a body that
they change is written once, into a file when it is large.
.Pp
Texts are the parts text/* that are no attachments.
.Fn body::replace
and
.Fn body::append_footer
see them decoded, as UTF-8, and encode them anew in their own transfer
encoding and charset; a text gets charset utf-8, and quoted-printable for
7bit, when what is put in asks for it.
Texts of messages inside of the message, and whatever is signed or encrypted
.Pq multipart/signed, multipart/encrypted, application/pkcs7-mime
are left alone by both.
.Pp
A text is held in memory up to
.Cm rules.string_max
of
.Xr vsmtp.ini 5 .
.Fn body::replace
takes larger ones only in 7bit, 8bit or binary, fails for others, and lets no
text grow by more than that.
A regex of
.Fn body::replace
is looked for in each text as a whole;
.Ql (?m)
makes ^ and $ match at its lines.
.Pp
.Fn body::append_footer
puts the text below text/plain and, with its special characters escaped, in
front of the end of the body of text/html, in each of the parts of a
multipart/alternative, in the root of a multipart/related, and in the first
text of other multiparts.
In format=flowed its lines stay apart
.Pq RFC 3676 .
Where no text can take it, it becomes a part of its own: of the message's
multipart/mixed, or of one that is put around what the message was.
It begins on a line of its own; what shall stand between is part of the text:
.Bd -literal -offset indent
preq: [
    action "footer" || if mail_from().domain != "lists.example" {
        body::append_footer("\en-- \enThe list of friends, https://lists.example/friends")
    },
]
.Ed
.Pp
.Fn mime::remove_part
takes out a part with all that is in it.
A multipart that has none left goes too; the message itself is left with an
empty text.
Paths mean what they meant when
.Fn mime::parts
was last called, so that a loop over its parts may remove some of them:
.Bd -literal -offset indent
preq: [
    action "programs" || for part in mime::parts() {
        if part.is_attachment && part.filename.matches("(?i)[.](exe|js|scr)$") {
            mime::remove_part(part);
            append_header("X-Removed", part.filename);
        }
    },
    rule "broken" || {
        let errors = mime::check().filter(|found| found.severity == "error");
        if errors.len > 0 {
            let first = errors[0];
            return deny(`554 5.6.0 line ${first.line}: ${first.text} (${first.section})`);
        }
        next()
    },
    action "words" || body::replace(regex("(?i)\e\ebdear friend\e\eb"), "Dear customer"),
]
.Ed
)M";

constexpr std::string_view kTail = R"M(.Sh FILES
.Pa examples/rules ,
rule sets with their tests;
.Pa share ,
colours for vim and VS Code.
.Sh SEE ALSO
.Xr vsl-filter 1 ,
.Xr vsmtp.ini 5 ,
.Xr vsmtp-chain 7
.Sh CAVEATS
A rule whose last statement is an
.Ic if
without
.Ic else
yields nothing on the other path, which is an error: say
.Fn next
there.
.Pp
.Ql a is object x ip4 = \(dq192.0.2.1\(dq && b
takes all behind the
.Ql =
for the object's value; put the declaration in parentheses.
.Pp
.Ql <<
and
.Ql >>
bind tighter than
.Ql + ,
and
.Ql &
like
.Ql && .
)M";
