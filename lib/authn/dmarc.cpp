#include "lib/authn/dmarc.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/mailbox_list.h"
#include "lib/net/domain_name.h"

namespace authn::dmarc {

namespace text = base::text;
using net::dns::Status;
using net::dns::Type;

namespace {

constexpr std::array<std::string_view, 5> kWords = {"none", "pass", "fail", "temperror", "permerror"};
constexpr std::size_t kMostLabels = 8;

std::string_view parent_of(std::string_view domain) {
  const auto dot = domain.find('.');
  return dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
}

// As names are compared and asked for: A-labels, lower case, no dot at the end.
std::optional<std::string> plain_name(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty() || domain.front() == '[') return std::nullopt;
  const auto name = net::to_a_labels(domain);
  if (!name || !std::ranges::all_of(text::split(*name, '.'), [](std::string_view label) { return !label.empty() && label.size() <= 63; })) return std::nullopt;
  if (!std::ranges::all_of(*name, [](char c) { return c > ' ' && c <= '~'; })) return std::nullopt;
  return text::to_lower(*name);
}

// "me@example.org.": wrong, and known who is meant.
bool is_final_dot(std::string_view body, std::size_t at) {
  if (at > 0 && at <= body.size() && body[at - 1] == '.') --at;  // what is wrong may be found behind it
  if (at >= body.size() || body[at] != '.' || (at > 0 && body[at - 1] == '.')) return false;
  return at + 1 == body.size() || std::string_view(" \t\r\n>,;").find(body[at + 1]) != std::string_view::npos;
}

std::optional<std::string> domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos || at == 0 ? std::nullopt : plain_name(address.substr(at + 1));
}

}  // namespace

std::string_view word(Result result) { return kWords[static_cast<std::size_t>(result)]; }

std::expected<std::vector<std::string>, std::string> author_domains(const mail::Message& message) {
  const mail::Field* from = nullptr;
  for (const auto& field : message.fields(message.root())) {
    if (!text::equal_ignoring_case(field.name, "From")) continue;
    if (from != nullptr) return std::unexpected("there are several From fields");
    from = &field;
  }
  if (from == nullptr) return std::unexpected("there is no From field");
  if (std::ranges::any_of(from->body, [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r' && c != '\n'; })) return std::unexpected("From has a control character");
  const auto list = mail::parse_address_list(from->body);
  std::vector<std::string> domains;
  const auto add = [&](const mail::NamedMailbox& mailbox) {
    auto domain = domain_of(mailbox.address);
    if (!domain) return false;
    if (std::ranges::find(domains, *domain) == domains.end()) domains.push_back(std::move(*domain));
    return true;
  };
  for (const auto& finding : list.findings)
    if (!mail::is_obsolete(finding.fault) && !is_final_dot(from->body, finding.offset)) return std::unexpected("From cannot be read");
  for (const auto& entry : list.entries)
    if (entry.is_group ? !std::ranges::all_of(entry.members, add) : !add(entry.mailbox)) return std::unexpected("an address in From has no domain");
  if (domains.empty()) return std::unexpected("From names nobody");
  return domains;
}

// ---- section 4.10 ---------------------------------------------------------------------------------------------------

std::vector<std::string> TreeWalk::names(std::string_view domain) {
  std::vector<std::string> names = {std::string(domain)};
  auto labels = static_cast<std::size_t>(std::ranges::count(domain, '.')) + 1;
  for (std::string_view rest = parent_of(domain); !rest.empty(); rest = parent_of(rest))
    if (--labels < kMostLabels) names.emplace_back(rest);
  return names;
}

const TreeWalk::Asked& TreeWalk::ask(const std::string& domain) {
  const auto known = asked_.find(domain);
  if (known != asked_.end()) return known->second;
  const auto answer = look_up_("_dmarc." + domain, Type::Txt);
  Asked asked;
  std::size_t records = 0;
  for (const auto& text : answer.texts())
    if (auto record = parse(text)) {
      ++records;
      asked.record = std::move(record);
    }
  if (records > 1) asked.record.reset();  // several are none
  asked.has_failed = answer.status == Status::Temporary || answer.status == Status::Bogus;
  asked.problem = answer.problem;
  return asked_.emplace(domain, std::move(asked)).first->second;
}

const TreeWalk::Way& TreeWalk::walk(const std::string& name) {
  const std::string domain = plain_name(name).value_or(name);
  const auto known = ways_.find(domain);
  if (known != ways_.end()) return known->second;
  Way way;
  for (const auto& here : names(domain)) {
    const Asked& asked = ask(here);
    // A top-level domain that does not answer is no reason to put off mail: it has next to never a record.
    const bool is_top = here.find('.') == std::string::npos;
    if (asked.has_failed && (!is_top || here == domain)) {
      way.failed_at = here;
      way.problem = asked.problem;
      break;
    }
    if (!asked.record) continue;
    way.found.push_back({here, *asked.record});
    if (asked.record->suffix != SuffixDomain::Unknown) break;
  }
  if (!way.failed_at) {
    way.organisation = domain;
    if (!way.found.empty()) {
      const auto& [last, record] = way.found.back();
      way.organisation = last;
      if (record.suffix == SuffixDomain::Yes && last != domain) {  // one label below it
        const std::string_view above = std::string_view(domain).substr(0, domain.size() - last.size() - 1);
        const auto dot = above.rfind('.');
        way.organisation = domain.substr(dot == std::string_view::npos ? 0 : dot + 1);
      }
    }
  }
  return ways_.emplace(domain, std::move(way)).first->second;
}

// ---- sections 4.10.1, 4.10.2, 5.3 -----------------------------------------------------------------------------------

namespace {

class Evaluation {
 public:
  Evaluation(const Question& question, const LookUp& look_up) : question_(question), look_up_(look_up), walk_(look_up) {
    outcome_.author_domain = plain_name(question.author_domain).value_or(question.author_domain);
  }

  Outcome run() {
    if (!find_policy()) return outcome_;
    bool is_unknown = false;
    const auto take = [&](const Identifier& identifier, bool is_strict, bool& is_aligned) {
      if (identifier.state == Identifier::State::NoPass || identifier.domain.empty()) return;
      const auto aligned = aligns(plain_name(identifier.domain).value_or(identifier.domain), is_strict);
      if (aligned && !*aligned) return;
      if (aligned && identifier.state == Identifier::State::Pass) {
        is_aligned = true;
      } else {
        is_unknown = true;
      }
    };
    take(question_.spf, outcome_.record->is_strict_spf, outcome_.is_spf_aligned);
    for (const auto& signature : question_.dkim) take(signature, outcome_.record->is_strict_dkim, outcome_.is_dkim_aligned);

    if (outcome_.is_spf_aligned || outcome_.is_dkim_aligned) {
      outcome_.result = Result::Pass;
    } else if (is_unknown) {
      return temporary(problem_.empty() ? "SPF or DKIM could not be checked" : problem_);
    } else {
      outcome_.result = Result::Fail;
      const bool is_lowered = outcome_.record->is_testing && outcome_.published != Policy::None;
      outcome_.policy = is_lowered ? static_cast<Policy>(static_cast<int>(outcome_.published) - 1) : outcome_.published;
    }
    return outcome_;
  }

 private:
  Outcome temporary(std::string reason) {
    outcome_.result = Result::TempError;
    outcome_.reason = std::move(reason);
    return outcome_;
  }
  bool none(std::string reason) {
    outcome_.result = Result::None;
    outcome_.reason = std::move(reason);
    return false;
  }

  // The record that applies and what it says for the author's domain. False: the outcome is complete.
  bool find_policy() {
    const std::string& author = outcome_.author_domain;
    const auto& way = walk_.walk(author);
    const TreeWalk::Found* found = nullptr;
    if (!way.found.empty() && way.found.front().domain == author) {
      found = &way.found.front();
    } else if (way.failed_at) {
      temporary(way.problem);
      return false;
    } else {
      for (const auto& each : way.found)
        if (each.domain == *way.organisation || each.record.suffix == SuffixDomain::Yes) {
          found = &each;
          break;
        }
    }
    if (found == nullptr) return none("no record");
    outcome_.policy_domain = found->domain;
    outcome_.record = found->record;
    if (!found->record.applies) return none("the record of " + found->domain + " says nothing");
    if (found->domain == author) {
      outcome_.published = found->record.policy;
      return true;
    }
    outcome_.published = found->record.subdomain_policy;
    if (found->record.missing_policy == found->record.subdomain_policy) return true;
    const auto exists = look_up_(author, Type::A);
    if (exists.status == Status::Temporary || exists.status == Status::Bogus) {
      temporary(exists.problem);
      return false;
    }
    if (exists.status == Status::NoName) outcome_.published = found->record.missing_policy;
    return true;
  }

  // Nothing: DNS did not say.
  std::optional<bool> aligns(const std::string& domain, bool is_strict) {
    const std::string& author = outcome_.author_domain;
    if (domain == author || is_strict) return domain == author;
    const auto& own = walk_.walk(author);
    const auto& other = walk_.walk(domain);
    for (const auto* way : {&own, &other})
      if (!way->organisation) {
        problem_ = way->problem;
        return std::nullopt;
      }
    return *own.organisation == *other.organisation;
  }

  const Question& question_;
  const LookUp& look_up_;
  TreeWalk walk_;
  Outcome outcome_;
  std::string problem_;
};

}  // namespace

Outcome evaluate(const Question& question, const LookUp& look_up) { return Evaluation(question, look_up).run(); }

}  // namespace authn::dmarc
