#include "lib/chain/log_ids.h"

#include <algorithm>

#include "lib/base/text.h"

namespace chain {
namespace {

constexpr std::string_view kIdVariable = "QUEUEID=", kTransactionVariable = "SMTPTRANSACTION=";
constexpr std::size_t kMostOctets = 64;

// What an id of ours, or of a program in our place, looks like: nothing that could forge a line.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostOctets && std::ranges::all_of(text, [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '-'; });
}

// The value behind a member's name, from its first octet on; "" where the member is not. A quotation mark within a string stands behind
// a backslash (RFC 8259 section 7), so what is found is a name, or at worst a string that reads like one.
std::string_view behind(std::string_view json, std::string_view quoted_name) {
  const auto skip_blanks = [&json] { json.remove_prefix(std::min(json.find_first_not_of(" \t\r\n"), json.size())); };
  const auto at = json.find(quoted_name);
  if (at == std::string_view::npos) return {};
  json.remove_prefix(at + quoted_name.size());
  skip_blanks();
  if (!json.starts_with(':')) return {};
  json.remove_prefix(1);
  skip_blanks();
  return json;
}

std::string value_in(const Words& environment, std::string_view name) {
  for (const auto& word : environment)
    if (word.starts_with(name) && is_name(std::string_view(word).substr(name.size()))) return word.substr(name.size());
  return {};
}

}  // namespace

std::string transaction_of(std::string_view context) {
  auto value = behind(behind(context, "\"metadata\""), "\"message_id\"");
  if (!value.starts_with('"')) return {};
  value.remove_prefix(1);
  value = value.substr(0, value.find('"'));
  return is_name(value) ? std::string(value) : std::string();
}

LogIds LogIds::of(const Call& call) {
  if (call.kind == Kind::Delivery) return {value_in(call.environment, kIdVariable), value_in(call.environment, kTransactionVariable)};
  return {{}, transaction_of(call.context)};
}

void LogIds::append_to(Words& environment) const {
  if (!id.empty()) environment.push_back(std::string(kIdVariable) + id);
  if (!transaction.empty()) environment.push_back(std::string(kTransactionVariable) + transaction);
}

std::vector<base::log::Field> LogIds::before(std::initializer_list<base::log::Field> others) const {
  std::vector<base::log::Field> fields;
  fields.reserve(others.size() + 2);
  if (const auto& name = id.empty() ? transaction : id; !name.empty()) fields.emplace_back("id", name);
  if (!id.empty() && !transaction.empty() && transaction != id) fields.emplace_back("transaction", transaction);
  fields.insert(fields.end(), others.begin(), others.end());
  return fields;
}

}  // namespace chain
