#include "vsl-filter/lang/regex.h"

#include <re2/re2.h>

#include <unordered_map>

#include "lib/base/text.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Regex::Compiled {
  explicit Compiled(std::string_view pattern) : regex(piece(pattern), options()) {}
  RE2 regex;
};

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

std::expected<Regex, std::string> Regex::compile(std::string_view pattern) {
  auto compiled = std::make_unique<Compiled>(pattern);
  if (!compiled->regex.ok()) return std::unexpected(compiled->regex.error());
  return Regex(std::move(compiled));
}

std::string_view Regex::pattern() const { return compiled_->regex.pattern(); }

bool Regex::matches(std::string_view text) const {
  return compiled_->regex.Match(piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool Regex::find(std::string_view text, std::size_t start, Groups& groups) const {
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(compiled_->regex.NumberOfCapturingGroups()) + 1);
  if (!compiled_->regex.Match(piece(text), start, text.size(), RE2::UNANCHORED, found.data(), static_cast<int>(found.size()))) return false;
  groups.clear();
  for (const re2::StringPiece& group : found) groups.emplace_back(group.data(), group.size());
  return true;
}

void Regex::each(std::string_view text, const std::function<bool(const Groups&)>& see) const {
  Groups groups;
  std::size_t start = 0;
  const char* last_end = nullptr;
  while (start <= text.size() && find(text, start, groups)) {
    const std::string_view whole = groups.front();
    const auto end = static_cast<std::size_t>(whole.data() - text.data()) + whole.size();
    // An empty match directly behind the last one belongs to it.
    const bool is_new = !whole.empty() || whole.data() != last_end;
    if (is_new && !see(groups)) return;
    last_end = text.data() + end;
    start = end;
    if (!whole.empty()) continue;
    ++start;
    while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) ++start;
  }
}

std::optional<std::size_t> Regex::group(std::string_view name) const {
  const auto& names = compiled_->regex.NamedCapturingGroups();
  const auto found = names.find(std::string(name));
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found->second);
}

std::vector<std::pair<std::string, std::size_t>> Regex::group_names() const {
  std::vector<std::pair<std::string, std::size_t>> names;
  for (const auto& [name, number] : compiled_->regex.NamedCapturingGroups()) names.emplace_back(name, static_cast<std::size_t>(number));
  return names;
}

std::size_t Regex::groups() const { return static_cast<std::size_t>(compiled_->regex.NumberOfCapturingGroups()) + 1; }

std::string Regex::quoted(std::string_view text) { return RE2::QuoteMeta(piece(text)); }

Expected<Substitution> Substitution::of(std::string_view text, const Regex& regex) {
  Substitution substitution;
  auto& pieces = substitution.pieces_;
  while (!text.empty()) {
    const auto at = text.find('$');
    pieces.push_back({std::string(text.substr(0, at)), {}});
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
    std::string_view name;
    if (text.starts_with('$') || text.empty()) {
      pieces.push_back({"$", {}});
      text.remove_prefix(text.empty() ? 0 : 1);
      continue;
    }
    if (text.starts_with('{') && text.find('}') != std::string_view::npos) {
      name = text.substr(1, text.find('}') - 1);
      text.remove_prefix(name.size() + 2);
    } else {
      std::size_t digits = 0;
      while (digits < text.size() && base::text::is_digit(text[digits])) ++digits;
      name = text.substr(0, digits);
      text.remove_prefix(digits);
    }
    if (name.empty()) {
      pieces.push_back({"$", {}});
      continue;
    }
    const auto number = base::text::parse_number<std::size_t>(name);
    const auto group = number ? number : regex.group(name);
    if (!group || *group >= regex.groups())
      return fail_api("the regex '" + std::string(regex.pattern()) + "' has no group '" + std::string(name) + "'");
    pieces.push_back({{}, group});
  }
  return substitution;
}

void Substitution::append_to(std::string& out, const Regex::Groups& groups) const {
  for (const Piece& piece : pieces_) out += piece.group ? groups[*piece.group] : std::string_view(piece.text);
}

namespace {

const Regex& regex_in(const Value& value) { return value.as_host().as<Regex>(); }

void append_pattern(const HostObject& self, std::string& out) { out += self.as<Regex>().pattern(); }

Expected<std::optional<bool>> equal(Run&, const Value& self, const Value& other) {
  using Answer = std::optional<bool>;
  if (other.is_string()) return Answer(regex_in(self).matches(other.as_text()));
  if (const Regex* regex = host_cast<Regex>(other, kRegexClass)) return Answer(regex->pattern() == regex_in(self).pattern());
  return Answer();
}

Expected<bool> contains(Run& run, const Value& self, const Value& element) {
  if (element.is_string()) {
    run.charge(element.as_text().size() / 64);
    return regex_in(self).matches(element.as_text());
  }
  if (element.is_char() || element.is_host()) return regex_in(self).matches(text_of(element));
  return fail_api("cannot look for a '" + std::string(type_name(element)) + "' object in a 'regex' object");
}

}  // namespace

constinit const HostClass kRegexClass{
    .name = "regex", .destroy = destroy_as<Regex>, .text = append_pattern, .equal = equal, .contains = contains};

Expected<const Regex*> regex_of(const Value& value) {
  constexpr std::size_t kMost = 64;
  thread_local std::unordered_map<std::string, Regex> known;
  if (const Regex* regex = host_cast<Regex>(value, kRegexClass)) return regex;
  const std::string pattern = text_of(value);
  if (const auto found = known.find(pattern); found != known.end()) return &found->second;
  auto compiled = Regex::compile(pattern);
  if (!compiled) return fail_api("'" + pattern + "' is not a valid regex: " + compiled.error());
  if (known.size() >= kMost) known.clear();
  return &known.emplace(pattern, std::move(*compiled)).first->second;
}

}  // namespace vsl
