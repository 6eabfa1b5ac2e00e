// settings_manual: prints vsmtp.ini(5), made from the rows of lib/base/settings.cpp. A test compares it with the page in lib/base/;
// after a change of the rows: build/tests/settings_manual >lib/base/vsmtp.ini.5
#include <cstdio>
#include <string>
#include <string_view>

#include "lib/base/settings.h"

namespace {

using base::Kind;

constexpr std::string_view kHead = R"(.\" Made by tests/tools/settings_manual.cpp from lib/base/settings.cpp.
.Dd November 22, 2026
.Dt VSMTP.INI 5
.Os vSMTP
.Sh NAME
.Nm vsmtp.ini
.Nd configuration of vSMTP
.Sh DESCRIPTION
Each program of vSMTP reads the file that
.Fl -config
or the environment variable
.Ev VSMTP_CONFIG
names, and takes from it what concerns it.
Without a file everything has its default, and that is safe: nothing listens
where others can reach it, and nobody may relay.
.Pp
The file has sections, lines
.Ql key = value ,
and comments that begin with
.Ql \&;
or
.Ql # .
An option of the same name, with dashes for underscores, wins over the file:
.Ql smtpd --rcpt-count-max 50 .
An unknown section, an unknown key or a bad value is an error that names the
file, the line, the value and what is allowed; all errors of a file are told
at once.
Only the keys of
.Ql [rules.user]
are free: rules read them as
.Ql toml::rules.user.KEY .
.Pp
Kinds of values:
.Bl -tag -width "duration" -compact
.It flag
.Ql yes
or
.Ql no
.It count
a whole number
.It octets
a number, with
.Ql k ,
.Ql m
or
.Ql g
for factors of 1024
.It duration
a number with
.Ql ms , s , m , h , d
or
.Ql w ;
seconds without
.It list
words, separated by blanks
.It lines
text of one or several lines; a line that begins with a blank goes on with the
value in front of it
.It program
a program with its arguments and those behind it,
.Ql PROGRAM ARGUMENT ... -- PROGRAM ... ,
or
.Ql unix:SOCKET
.El
.Sh SETTINGS
)";

constexpr std::string_view kTail = R"(.Sh FILES
.Pa examples/vsmtp.ini ,
a server for one domain.
.Sh EXAMPLES
A gateway that filters mail for one domain and hands it to the server behind it:
.Bd -literal -offset indent
[smtp]
listen = 0.0.0.0:25 [::]:25
relay_domains = example.org

[remote]
relay_host = [192.0.2.7]:25
.Ed
.Sh SEE ALSO
.Xr mime-check 1 ,
.Xr vsl-filter 1 ,
.Xr vsmtp 1 ,
.Xr vsmtp-spool 5 ,
.Xr vsmtp-chain 7 ,
.Xr address-map 8 ,
.Xr deliver-maildir 8 ,
.Xr deliver-pipe 8 ,
.Xr deliver-remote 8 ,
.Xr mta-sts 8 ,
.Xr qctl 8 ,
.Xr queue-inject 8 ,
.Xr queue-run 8 ,
.Xr smtpd 8 ,
.Xr tls-report 8
)";

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::Text: return "text";
    case Kind::Path: return "path";
    case Kind::Flag: return "flag";
    case Kind::Count: return "count";
    case Kind::Octets: return "octets";
    case Kind::Duration: return "duration";
    case Kind::Choice: return "";
    case Kind::List: return "list";
    case Kind::Lines: return "lines";
    case Kind::Program: return "program";
  }
  return "";
}

std::string with_bars(std::string_view choices) {
  std::string text;
  for (const char c : choices) text += c == '|' ? std::string(" | ") : std::string(1, c);
  return text;
}

// What mdoc would take for a macro or for the end of a sentence.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) out += c == '\\' ? std::string("\\e") : std::string(1, c);
  return out;
}

std::string name_behind(std::string_view section) {
  if (!base::is_named_section(section)) return {};
  return section == "transport" ? " \\(dqNAME\\(dq" : " \\(dqDOMAIN\\(dq";
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_row(const base::Setting& setting) {
  const std::string kind = setting.kind == Kind::Choice ? with_bars(setting.choices) : std::string(name_of(setting.kind));
  print(".It Cm " + std::string(setting.key) + " = " + kind + "\n");
  std::string doc = escaped(setting.doc);
  doc[0] = static_cast<char>(doc[0] >= 'a' && doc[0] <= 'z' ? doc[0] - 'a' + 'A' : doc[0]);
  print(doc + ".\n");
  print(setting.standard.empty() ? std::string("Empty by default.\n") : "Default:\n.Ql " + escaped(setting.standard) + " .\n");
}

}  // namespace

int main() {
  print(kHead);
  std::string_view section;
  for (const auto& setting : base::all_settings()) {
    if (setting.section != section) {
      if (!section.empty()) print(".El\n");
      section = setting.section;
      print(".Ss [" + std::string(section) + name_behind(section) + "]\n.Bl -tag -width Ds\n");
    }
    print_row(setting);
  }
  print(".El\n");
  print(kTail);
}
