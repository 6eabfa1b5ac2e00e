#include <algorithm>
#include <array>
#include <ctime>

#include "lib/authn/dkim.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace authn::dkim {

namespace text = base::text;

namespace {

// RFC 6376 section 5.4.1, and what mailing lists and one-click unsubscribing (RFC 8058) go by.
constexpr auto kSignedHeaders = std::to_array<std::string_view>({
    "From", "Reply-To", "Subject", "Date", "To", "Cc", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "Resent-Date", "Resent-From", "Resent-To", "Resent-Cc", "List-Id", "List-Help", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive",
});
constexpr auto kOversigned = std::to_array<std::string_view>({"From", "Reply-To", "Subject", "Date", "To", "Cc", "Message-ID", "MIME-Version", "Content-Type"});
constexpr std::size_t kLineOctets = 76;
constexpr std::size_t kTabOctets = 8;

std::size_t count_fields(const mail::Message& message, std::string_view name) {
  const auto fields = message.fields(message.root());
  return static_cast<std::size_t>(std::ranges::count_if(fields, [&](const mail::Field& field) { return text::equal_ignoring_case(field.name, name); }));
}

// h=: each of a name that is there, and once more where nobody shall add one.
std::vector<std::string> names_to_sign(const mail::Message& message, const SignOptions& options) {
  std::vector<std::string> wanted = options.headers;
  if (wanted.empty()) wanted.assign(kSignedHeaders.begin(), kSignedHeaders.end());
  std::vector<std::string> oversigned = options.oversigned;
  if (oversigned.empty() && options.headers.empty()) oversigned.assign(kOversigned.begin(), kOversigned.end());
  const auto has = [](std::span<const std::string> list, std::string_view name) {
    return std::ranges::any_of(list, [&](const std::string& each) { return text::equal_ignoring_case(each, name); });
  };
  if (!has(wanted, "From")) wanted.insert(wanted.begin(), "From");
  for (const auto& name : oversigned)
    if (!has(wanted, name)) wanted.push_back(name);

  std::vector<std::string> names;
  for (const auto& name : wanted) {
    // A name that is given twice is meant so: what RFC 6376 section 5.4.2 has for one more than there are.
    if (has(names, name)) {
      names.push_back(name);
      continue;
    }
    for (std::size_t i = count_fields(message, name) + (has(oversigned, name) ? 1 : 0); i > 0; --i) names.push_back(name);
  }
  return names;
}

// The field, grown line by line; folded only where blanks are allowed.
class FoldedTags {
 public:
  void add(std::string_view name, std::string_view value) { append(std::string(name) + "=" + std::string(value) + ";", true); }
  void add_last(std::string_view name, std::string_view value) {  // long, of octets that may stand in any line
    append(std::string(name) + "=", true);
    while (!value.empty()) {
      const auto piece = value.substr(0, line_ < kLineOctets - 1 ? kLineOctets - 1 - line_ : kLineOctets - kTabOctets - 1);
      append(piece, false);
      value.remove_prefix(piece.size());
    }
  }
  void add_names(std::string_view name, std::span<const std::string> names) {
    append(std::string(name) + "=", true);
    for (std::size_t i = 0; i < names.size(); ++i) append(names[i] + (i + 1 < names.size() ? ":" : ";"), false);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void append(std::string_view piece, bool after_blank) {
    if (line_ + piece.size() + 1 > kLineOctets) {
      text_ += "\r\n\t";
      line_ = kTabOctets;
    } else if (after_blank) {
      text_ += ' ';
      ++line_;
    }
    text_ += piece;
    line_ += piece.size();
  }
  std::string text_;
  std::size_t line_ = std::string_view("DKIM-Signature:").size();
};

}  // namespace

base::Result<std::string> sign(const mail::Message& message, const PrivateKey& key, const SignOptions& options) {
  if (count_fields(message, "From") == 0) return base::fail(base::Fault::Permanent, "a message without From cannot be signed (RFC 6376 section 5.4)");
  if (!is_domain(options.domain)) return base::fail(base::Fault::Usage, "'" + text::printable(options.domain) + "' is no domain to sign for");
  if (!is_domain(options.selector)) return base::fail(base::Fault::Usage, "'" + text::printable(options.selector) + "' is no selector");
  BodyHash body;
  body.how = options.body_form;
  hash_body(message.body(message.root()), {&body, 1});
  const auto names = names_to_sign(message, options);
  const auto now = options.now != 0 ? options.now : static_cast<std::uint64_t>(std::time(nullptr));
  const auto form = [](Canonicalization how) { return how == Canonicalization::Relaxed ? std::string("relaxed") : std::string("simple"); };

  FoldedTags tags;
  tags.add("v", "1");
  tags.add("a", key.type() == KeyType::Rsa ? "rsa-sha256" : "ed25519-sha256");
  tags.add("c", form(options.header_form) + "/" + form(options.body_form));
  tags.add("d", text::to_lower(options.domain));
  tags.add("s", options.selector);
  if (!options.identity.empty()) tags.add("i", options.identity);
  tags.add("t", std::to_string(now));
  if (options.lifetime_seconds != 0) tags.add("x", std::to_string(now + options.lifetime_seconds));
  tags.add_names("h", names);
  tags.add("bh", base::to_base64({reinterpret_cast<const char*>(body.digest.data()), body.digest.size()}));
  FoldedTags unsigned_tags = tags;
  unsigned_tags.add_last("b", "");
  const auto digest = hash_header(message, names, "DKIM-Signature:" + unsigned_tags.text(), options.header_form);
  const auto signature = key.sign(digest);
  if (!signature) return std::unexpected(signature.error());
  tags.add_last("b", base::to_base64(*signature));
  return tags.text();
}

}  // namespace authn::dkim
