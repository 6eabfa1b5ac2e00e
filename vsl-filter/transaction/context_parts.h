// Parts of a context's JSON, each way. Only for context_*.cpp.
#pragma once

#include <nlohmann/json.hpp>

#include "vsl-filter/transaction/context_json.h"

namespace rules::context {

using Json = nlohmann::ordered_json;

// Out: values, appended to a text. Every message needs them, so there is no tree.
void append_time(std::string& out, base::WallTime time);
void append_skip(std::string& out, const Skip& skip);
void append_credentials(std::string& out, const std::optional<Credentials>& credentials);
void append_recipient(std::string& out, const Recipient& recipient, ContextForm::For reader);
// A text of JSON that was checked when it was set.
void append_checked(std::string& out, const std::string& json);

// In. Nullptr: no object, or no such member.
const Json* member(const Json& object, std::string_view name);
std::string text(const Json& object, std::string_view name);
bool flag(const Json& object, std::string_view name);
std::uint64_t count(const Json& object, std::string_view name);

std::optional<base::WallTime> read_time(const Json& value);
base::WallTime read_time(const Json& object, std::string_view name);
Skip read_skip(const Json& value);
std::optional<Credentials> read_credentials(const Json& value);
std::optional<Recipient> read_recipient(const Json& value);
// "192.0.2.1:25", "[2001:db8::1]:25"
void read_address(std::string_view text, std::string& ip, std::uint16_t& port);
std::string address(std::string_view ip, std::uint16_t port);

}  // namespace rules::context
