#include "mta-sts/answers.h"

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/chain/policy.h"

namespace mta_sts {

using authn::sts::word;

std::string attributes_of(const Found& found) {
  std::string answer;
  chain::append_policy(answer, "action", found.kept ? word(found.kept->policy.mode) : "none");
  if (found.kept) {
    chain::append_policy(answer, "id", found.kept->id);
    for (const auto& pattern : found.kept->policy.mx) chain::append_policy(answer, "mx", pattern);
  }
  if (!found.failure.empty()) {
    chain::append_policy(answer, "failure", found.failure);
    chain::append_policy(answer, "problem", found.problem);
  }
  return answer;
}

std::string json_of(const std::string& domain, const Found& found) {
  using namespace base::json;
  std::string line = "{";
  append_member(line, "domain", domain);
  if (found.kept) {
    append_member(line, "mode", word(found.kept->policy.mode));
    append_member(line, "id", found.kept->id);
    append_member(line, "max_age", static_cast<long long>(found.kept->policy.max_age_seconds));
    append_member(line, "fetched", static_cast<long long>(found.kept->fetched_seconds));
    append_name(line, "mx");
    line += '[';
    for (const auto& pattern : found.kept->policy.mx) {
      if (!line.ends_with('[')) line += ',';
      append_string(line, pattern);
    }
    line += ']';
  }
  if (!found.failure.empty()) {
    append_member(line, "failure", found.failure);
    append_member(line, "problem", found.problem);
  }
  return line + "}\n";
}

std::string lines_of(const std::string& domain, const Found& found) {
  if (!found.failure.empty()) return domain + ": no policy: " + base::text::printable(found.problem) + "\n";
  if (!found.kept) return domain + ": no policy\n";
  std::string line = domain + ": " + std::string(word(found.kept->policy.mode));
  for (const auto& pattern : found.kept->policy.mx) line += " " + pattern;
  return line + "\n";
}

}  // namespace mta_sts
