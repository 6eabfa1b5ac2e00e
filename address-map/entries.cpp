#include "address-map/entries.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace address_map {
namespace {

namespace text = base::text;
using Kind = Target::Kind;

constexpr std::size_t kMaxMistakes = 20;

// A line with those that go on behind it, which begin with a blank.
struct LogicalLine {
  std::string octets;
  int number = 0;
};

bool is_comment(std::string_view line) {
  const auto trimmed = text::trim(line);
  return trimmed.empty() || trimmed.front() == '#';
}

class Mistakes {
 public:
  explicit Mistakes(std::string_view path) : path_(path) {}
  void add(int line, std::string_view what) {
    if (++count_ > kMaxMistakes) return;
    if (!text_.empty()) text_ += '\n';
    text_.append(path_).append(":").append(std::to_string(line)).append(": ").append(what);
  }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  [[nodiscard]] std::unexpected<base::Error> error() const { return base::fail(base::Fault::Config, text_); }

 private:
  std::string path_, text_;
  std::size_t count_ = 0;
};

// Calls `on_line` with each line and its number, from 1.
template <class OnLine>
void for_each_line(std::string_view octets, OnLine on_line) {
  for (int number = 1; !octets.empty(); ++number) {
    const auto end = std::min(octets.find('\n'), octets.size());
    auto line = octets.substr(0, end);
    octets.remove_prefix(std::min(end + 1, octets.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    on_line(line, number);
  }
}

std::vector<LogicalLine> logical_lines(std::string_view octets, Mistakes& mistakes) {
  std::vector<LogicalLine> lines;
  for_each_line(octets, [&](std::string_view line, int number) {
    if (line.contains('\0')) {
      mistakes.add(number, "a NUL octet");
    } else if (is_comment(line)) {
      return;
    } else if (!text::is_space(line.front())) {
      lines.push_back({std::string(line), number});
    } else if (lines.empty()) {
      mistakes.add(number, "begins with a blank, and there is no line that it goes on with");
    } else {
      lines.back().octets.append(" ").append(text::trim(line));
    }
  });
  return lines;
}

// Length of what stands in front of a separator, quotes and backslashes being looked at; npos: a quote is not closed.
std::size_t item_octets(std::string_view octets, std::string_view separators) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (octets[i] == '\\' && is_quoted) {
      ++i;
    } else if (octets[i] == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && separators.contains(octets[i])) {
      return i;
    }
  }
  return is_quoted ? std::string_view::npos : octets.size();
}

// "\"a \\\"b\"" -> a "b; nullopt: it does not end where the text ends, as in "a b"@example.org.
std::optional<std::string> unquoted(std::string_view item) {
  if (item.size() < 2 || item.front() != '"') return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < item.size(); ++i) {
    if (item[i] == '"') return i + 1 == item.size() ? std::optional(std::move(out)) : std::nullopt;
    if (item[i] == '\\' && i + 1 < item.size()) ++i;
    out += item[i];
  }
  return std::nullopt;
}

// "" when it may be one, else what is wrong.
std::string_view fault_of_address(std::string_view address) {
  if (address.empty()) return "empty";
  if (address.ends_with('@')) return "no domain behind the @";
  if (std::ranges::any_of(address, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return "has a control character in it";
  const auto [local, domain] = mail::split_address(address);
  if (domain.empty()) return local.size() > 64 ? "too long" : std::string_view();
  const auto mailbox = mail::parse_mailbox(address, {.smtputf8 = true});
  return mailbox ? std::string_view() : mail::describe(mailbox.error());
}

struct Allowed {
  bool commands = true;  // and files, and includes
};

// One item of a right side.
base::Result<Target> parse_target(std::string_view item, Allowed allowed) {
  const auto wrong = [&](std::string_view what) { return base::fail(base::Fault::Config, "'" + text::printable(item, 100) + "': " + std::string(what)); };
  std::string whole = unquoted(item).value_or(std::string(item));
  Target target;
  if (whole.starts_with('|')) {
    const auto command = text::trim(std::string_view(whole).substr(1));
    target = {Kind::Command, unquoted(command).value_or(std::string(command))};
  } else if (whole.starts_with('/')) {
    target = {Kind::File, whole};
  } else if (text::starts_with_ignoring_case(whole, ":include:")) {
    const auto path = text::trim(std::string_view(whole).substr(9));
    target = {Kind::Include, unquoted(path).value_or(std::string(path))};
    if (!target.text.starts_with('/')) return wrong("the file of an :include: needs a whole path");
  } else if (whole.starts_with('\\') && whole.size() > 1) {
    target = {Kind::Final, whole.substr(1)};
  } else {
    target = {Kind::Address, whole};
  }
  const bool is_address = target.kind == Kind::Address || target.kind == Kind::Final;
  if (is_address && whole.starts_with(':')) return wrong("expected: :include:/PATH");
  if (!is_address && !allowed.commands) return wrong("commands, files and includes cannot stand here");
  if (!is_address && target.text.empty()) return wrong("empty");
  if (target.text.find_first_of("\r\n") != std::string::npos) return wrong("a line end in it");
  if (is_address) {
    if (const auto fault = fault_of_address(target.text); !fault.empty()) return wrong(fault);
    if (mail::split_address(target.text).second.empty() && target.text.find_first_of(" \t") != std::string::npos && item.front() != '"') return wrong("a blank within a name");
  }
  return target;
}

base::Result<Targets> parse_targets(std::string_view octets, std::string_view separators, Allowed allowed) {
  Targets targets;
  for (auto rest = text::trim(octets); !rest.empty();) {
    const auto length = item_octets(rest, separators);
    if (length == std::string_view::npos) return base::fail(base::Fault::Config, "a quote that is not closed");
    const auto item = text::trim(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
    rest = text::trim(rest);
    if (item.empty()) continue;  // "a, , b", as newaliases(1) takes it
    auto target = parse_target(item, allowed);
    if (!target) return std::unexpected(target.error());
    if (std::ranges::find(targets, *target) == targets.end()) targets.push_back(std::move(*target));
  }
  return targets;
}

// name: targets
base::Result<Entry> parse_alias(std::string_view line) {
  const auto end = item_octets(line, ":");
  if (end == std::string_view::npos || end == line.size()) return base::fail(base::Fault::Config, "expected: name: address, ...");
  const auto name = text::trim(line.substr(0, end));
  Entry entry{key_of(unquoted(name).value_or(std::string(name))), {}, 0};
  if (entry.key.empty()) return base::fail(base::Fault::Config, "no name in front of the colon");
  if (entry.key.contains('@')) return base::fail(base::Fault::Config, "'" + text::printable(name, 100) + "': a name of an aliases file has no domain; addresses are for virtual maps");
  auto targets = parse_targets(line.substr(end + 1), ",", {});
  if (!targets) return std::unexpected(targets.error());
  if (targets->empty()) return base::fail(base::Fault::Config, "'" + text::printable(name, 100) + "' leads nowhere");
  entry.targets = std::move(*targets);
  return entry;
}

// "user@domain", "@domain", "user"
base::Result<std::string> parse_pattern(std::string_view pattern) {
  const auto wrong = [&](std::string_view what) { return base::fail(base::Fault::Config, "'" + text::printable(pattern, 100) + "': " + std::string(what)); };
  if (pattern.starts_with('@')) {
    if (!mail::check_domain(pattern.substr(1), {.smtputf8 = true})) return wrong("no domain behind the @");
  } else if (const auto fault = fault_of_address(pattern); !fault.empty()) {
    return wrong(fault);
  }
  return key_of(pattern);
}

// pattern targets
base::Result<Entry> parse_virtual(std::string_view line) {
  const auto end = item_octets(line, " \t");
  if (end == std::string_view::npos) return base::fail(base::Fault::Config, "a quote that is not closed");
  auto key = parse_pattern(line.substr(0, end));
  if (!key) return std::unexpected(key.error());
  Entry entry{std::move(*key), {}, 0};
  const auto rest = text::trim(line.substr(end));
  if (rest.empty()) return base::fail(base::Fault::Config, "'" + entry.key + "' leads nowhere");
  if (rest.starts_with('@')) {  // from domain to domain
    if (!entry.key.starts_with('@')) return base::fail(base::Fault::Config, "'" + entry.key + "': a single address cannot lead to a whole domain");
    if (!mail::check_domain(rest.substr(1), {.smtputf8 = true})) return base::fail(base::Fault::Config, "'" + text::printable(rest, 100) + "': expected: one @domain");
    entry.targets.push_back({Kind::Address, std::string(rest)});
    return entry;
  }
  auto targets = parse_targets(rest, ", \t", {.commands = false});
  if (!targets) return std::unexpected(targets.error());
  entry.targets = std::move(*targets);
  return entry;
}

// What stands behind the pattern does not matter, so that maps of other programs can be used.
base::Result<Entry> parse_recipient(std::string_view line) {
  const auto end = item_octets(line, " \t");
  if (end == std::string_view::npos) return base::fail(base::Fault::Config, "a quote that is not closed");
  auto key = parse_pattern(line.substr(0, end));
  if (!key) return std::unexpected(key.error());
  return Entry{std::move(*key), {}, 0};
}

}  // namespace

std::string key_of(std::string_view address) {
  if (address.ends_with('.') && !mail::split_address(address).second.empty()) address.remove_suffix(1);
  return text::to_lower(address);
}

std::string_view name_of(Format format) { return format == Format::Aliases ? "aliases" : format == Format::Virtual ? "virtual" : "recipients"; }

std::string to_octets(const Targets& targets) {
  std::string octets;
  for (const auto& target : targets) octets.append(1, static_cast<char>(target.kind)).append(target.text).append("\n");
  return octets;
}

base::Result<Targets> parse_octets(std::string_view octets) {
  constexpr std::string_view kKinds = "@=|/:";
  Targets targets;
  while (!octets.empty()) {
    const auto end = octets.find('\n');
    if (end == std::string_view::npos || end < 2 || !kKinds.contains(octets.front())) return base::fail(base::Fault::Temporary, "not an entry of a compiled map");
    targets.push_back({static_cast<Kind>(octets.front()), std::string(octets.substr(1, end - 1))});
    octets.remove_prefix(end + 1);
  }
  return targets;
}

base::Result<std::vector<Entry>> parse_map(Format format, std::string_view octets, std::string_view path) {
  Mistakes mistakes(path);
  std::vector<Entry> entries;
  std::unordered_map<std::string, int> known;
  for (const auto& line : logical_lines(octets, mistakes)) {
    auto entry = format == Format::Aliases ? parse_alias(line.octets) : format == Format::Virtual ? parse_virtual(line.octets) : parse_recipient(line.octets);
    if (!entry) {
      mistakes.add(line.number, entry.error().cause);
      continue;
    }
    entry->line = line.number;
    const auto [first, is_new] = known.try_emplace(entry->key, line.number);
    if (!is_new) {
      mistakes.add(line.number, "'" + text::printable(entry->key, 100) + "' stands in line " + std::to_string(first->second) + " already");
      continue;
    }
    entries.push_back(std::move(*entry));
  }
  if (!mistakes.is_empty()) return mistakes.error();
  return entries;
}

base::Result<Targets> parse_include(std::string_view octets, std::string_view path) {
  Mistakes mistakes(path);
  Targets all;
  for_each_line(octets, [&](std::string_view line, int number) {
    if (is_comment(line)) return;
    auto targets = parse_targets(line, ",", {.commands = false});
    if (!targets) return mistakes.add(number, targets.error().cause);
    std::ranges::move(*targets, std::back_inserter(all));
  });
  if (!mistakes.is_empty()) return mistakes.error();
  return all;
}

}  // namespace address_map
