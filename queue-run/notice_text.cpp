#include "queue-run/notice_text.h"

#include <algorithm>
#include <utility>

#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace run {
namespace {

namespace text = base::text;
using base::Fault;

struct KindRow {
  NoticeKind kind;
  std::string_view name;
  std::string_view standard;
};

constexpr auto kKinds = std::to_array<KindRow>({
    {NoticeKind::Failure, "failure", R"(Subject: Not delivered: {subject}
From: Mail System
Content-Language: en

This is the mail system of {server}.

Your message of {date} could not be delivered to:

{explained}
It will not be tried again. {returned}

If you think that it should have arrived, show this message to the recipient
by another way, or to the postmaster of {server}.
)"},
    {NoticeKind::Delay, "delay", R"(Subject: Delayed: {subject}
From: Mail System
Content-Language: en

This is the mail system of {server}. You need not do anything.

Your message of {date} could not yet be delivered to:

{explained}
It will be tried until {until}. You will be told if it cannot be
delivered by then. {returned}
)"},
    {NoticeKind::Success, "success", R"(Subject: Delivered: {subject}
From: Mail System
Content-Language: en

This is the mail system of {server}. You have asked to be told what becomes
of your message of {date}:

{recipients}
That it was delivered does not mean that it was read. {returned}
)"},
    {NoticeKind::Double, "double", R"(Subject: Bounce not delivered: {subject}
From: Mail System
Content-Language: en

This is the mail system of {server}. The message {id}, which has no sender who
could be told (most often it is itself a notification), could not be delivered
to:

{explained}
It is told to you as the postmaster, and to nobody else. {returned}
)"},
});
static_assert([] {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return kKinds.size() == kNoticeKinds;
}());

// In the order of queue-run(8).
constexpr auto kNames = std::to_array<std::string_view>(
    {"server", "postmaster", "id", "sender", "subject", "date", "until", "count", "recipients", "explained", "returned"});

struct FieldRow {
  std::string_view name;
  std::string NoticeTemplate::*value;
};
constexpr auto kFields = std::to_array<FieldRow>({
    {"Subject", &NoticeTemplate::subject},
    {"From", &NoticeTemplate::from},
    {"Content-Language", &NoticeTemplate::language},
});

base::Result<void> check_names(std::string_view line) {
  for (auto open = line.find('{'); open != std::string_view::npos; open = line.find('{', open + 1)) {
    const auto close = line.find('}', open);
    if (close == std::string_view::npos) return base::fail(Fault::Config, "{ without }");
    const auto name = line.substr(open + 1, close - open - 1);
    if (std::ranges::find(kNames, name) != kNames.end()) continue;
    std::string known;
    for (const auto one : kNames) known.append(known.empty() ? "" : ", ").append(one);
    return base::fail(Fault::Config, "{" + text::printable(name, 40) + "}; expected one of: " + known);
  }
  return {};
}

base::Result<void> take_field(NoticeTemplate& made, std::string_view line) {
  const auto [name, value] = text::split_once(line, ':');
  const auto row = std::ranges::find_if(kFields, [name = name](const FieldRow& one) { return text::equal_ignoring_case(one.name, name); });
  if (row == kFields.end()) return base::fail(Fault::Config, "'" + text::printable(line, 60) + "'; expected: Subject:, From:, Content-Language: or an empty line");
  made.*row->value = text::trim(value);
  return {};
}

}  // namespace

std::string_view name_of(NoticeKind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }
std::span<const std::string_view> notice_names() { return kNames; }

std::string fill_in(std::string_view rest, const NoticeValues& values) {
  std::string out;
  for (;;) {
    const auto open = rest.find('{');
    out += rest.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = rest.find('}', open);
    const auto name = rest.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
    const auto value = values.find(name);
    if (close == std::string_view::npos || value == values.end()) {
      out += '{';
      rest.remove_prefix(open + 1);
    } else {
      out += value->second;
      rest.remove_prefix(close + 1);
    }
  }
}

base::Result<NoticeTemplate> parse_notice_template(std::string_view octets) {
  if (!base::utf8::is_valid(octets)) return base::fail(Fault::Config, "not UTF-8");
  NoticeTemplate made;
  bool is_body = false;
  std::size_t number = 0;
  for (auto line : text::split(octets, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    base::Result<void> taken = check_names(line);
    if (taken && is_body) made.body.append(line).append("\n");
    if (taken && !is_body && !line.empty()) taken = take_field(made, line);
    if (!taken) return base::fail(Fault::Config, "line " + std::to_string(number) + ": " + taken.error().cause);
    is_body = is_body || line.empty();
  }
  while (made.body.ends_with("\n\n")) made.body.pop_back();
  if (made.body.find_first_not_of(" \n") == std::string::npos) return base::fail(Fault::Config, "no text behind an empty line");
  return made;
}

NoticeTexts::NoticeTexts() {
  for (const auto& row : kKinds) templates_[static_cast<std::size_t>(row.kind)] = *parse_notice_template(row.standard);
}

base::Result<NoticeTexts> NoticeTexts::load(const std::string& folder) {
  constexpr std::size_t kMaxOctets = 65536;
  NoticeTexts texts;
  bool has_any = false;
  for (const auto& row : kKinds) {
    const std::string path = folder + "/" + std::string(row.name);
    const auto octets = base::read_file(path, kMaxOctets);
    if (!octets && octets.error().error_number == ENOENT) continue;
    if (!octets) return base::fail(Fault::Config, octets.error().cause);
    auto made = parse_notice_template(*octets);
    if (!made) return base::fail(Fault::Config, path + ": " + made.error().cause);
    NoticeTemplate& standard = texts.templates_[static_cast<std::size_t>(row.kind)];
    if (made->subject.empty()) made->subject = standard.subject;
    if (made->from.empty()) made->from = standard.from;
    standard = std::move(*made);
    has_any = true;
  }
  if (!has_any) return base::fail(Fault::Config, folder + ": none of the files failure, delay, success, double is there");
  return texts;
}

}  // namespace run
