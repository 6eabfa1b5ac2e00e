// Writes JSON text by appending. For what every message needs (context, log lines): no tree, no allocation of its own.
// What must be read is read with nlohmann::json in the file that needs it.
#pragma once

#include <string>
#include <string_view>

namespace base::json {

// "text" with quotes, escaped as RFC 8259 section 7 asks. Octets that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
// "name":  with a comma in front unless `out` ends with '{' or '['.
void append_name(std::string& out, std::string_view name);
void append_member(std::string& out, std::string_view name, std::string_view text);
void append_member(std::string& out, std::string_view name, long long number);

}  // namespace base::json
