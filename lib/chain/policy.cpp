#include "lib/chain/policy.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/base/io.h"

namespace chain {

base::Result<PolicyAttributes> parse_policy(std::string_view text) {
  constexpr std::size_t kUsual = 40;
  PolicyAttributes attributes;
  attributes.reserve(kUsual);
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return base::fail(base::Fault::Temporary, "'" + std::string(line.substr(0, 100)) + "'; expected: name=value");
    attributes.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  return attributes;
}

void append_policy(std::string& out, std::string_view name, std::string_view value) {
  const auto ends_line = [](char c) { return c == '\n' || c == '\r' || c == '\0'; };
  const auto start = out.size() + name.size() + 1;
  out.append(name) += '=';
  out += value;
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) <= '\r'; }))  // hardly ever
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), ends_line, ' ');
  out += '\n';
}

const std::string_view* find(const PolicyAttributes& attributes, std::string_view name) {
  const auto found = std::ranges::find(attributes, name, &PolicyAttribute::name);
  return found == attributes.end() ? nullptr : &found->value;
}

PolicySplitter::Status PolicySplitter::next(std::string_view& text) {
  kept_.erase(0, std::exchange(cut_, 0));
  for (std::size_t line = 0; line < kept_.size();) {
    const auto end = kept_.find('\n', line);
    if (end == std::string::npos) break;
    const bool is_empty = end == line || (end == line + 1 && kept_[line] == '\r');
    if (is_empty) {
      if (line > kPolicyOctets) return Status::TooLong;
      text = std::string_view(kept_).substr(0, line);
      cut_ = end + 1;
      return Status::Text;
    }
    line = end + 1;
  }
  return kept_.size() > kPolicyOctets ? Status::TooLong : Status::NeedMore;
}

int serve_policy(std::string_view program, const Handler& handler) {
  PolicySplitter splitter;
  std::array<char, 8192> buffer;
  for (;;) {
    std::string_view text;
    switch (splitter.next(text)) {
      case PolicySplitter::Status::TooLong: return base::report(program, {base::Fault::Temporary, "a question of more than 64 KB"});
      case PolicySplitter::Status::Text: {
        Invocation invocation;
        invocation.call.kind = Kind::Policy;
        invocation.call.envelope = text;
        // No reply is better than a wrong one: the client has a rule for a policy service that ends.
        const auto answer = handler(invocation);
        if (answer.exit_code != 0 || answer.report.empty()) return answer.exit_code != 0 ? answer.exit_code : base::exit_row(base::Fault::Bug).by_hand;
        const auto reply = answer.report + "\n";
        if (const auto written = base::write_all(STDOUT_FILENO, reply); !written) return base::report(program, written.error());
        continue;
      }
      case PolicySplitter::Status::NeedMore: break;
    }
    const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::report(program, base::fail_errno("read question").error());
    if (n == 0) {
      if (splitter.has_part()) return base::report(program, {base::Fault::Temporary, "the input ended within a question"});
      return 0;
    }
    splitter.add({buffer.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace chain
