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

// A field, grown line by line; folded only where blanks are allowed.
class FoldedText {
 public:
  explicit FoldedText(std::string_view name) : line_(name.size() + 1) {}
  // In one line, behind a blank or at the start of a new one.
  void add_word(std::string_view word) { append(word, true); }
  // Right behind what is there, or at the start of a new line.
  void add_part(std::string_view part) { append(part, false); }
  // May be broken anywhere.
  void add_octets(std::string_view octets) {
    while (!octets.empty()) {
      const auto piece = octets.substr(0, line_ < kLineOctets - 1 ? kLineOctets - 1 - line_ : kLineOctets - kTabOctets - 1);
      append(piece, false);
      octets.remove_prefix(piece.size());
    }
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
  std::size_t line_;
};

std::string form_name(Canonicalization how) { return how == Canonicalization::Relaxed ? "relaxed" : "simple"; }

// Both kinds of signatures: `tags` stand in front.
base::Result<std::string> sign_as(std::string_view field, std::vector<TagText> tags, const mail::Message& message, const PrivateKey& key, const SignOptions& options) {
  if (count_fields(message, "From") == 0) return base::fail(base::Fault::Permanent, "a message without From cannot be signed (RFC 6376 section 5.4)");
  if (!is_domain(options.domain)) return base::fail(base::Fault::Usage, "'" + text::printable(options.domain) + "' is no domain to sign for");
  if (!is_domain(options.selector)) return base::fail(base::Fault::Usage, "'" + text::printable(options.selector) + "' is no selector");
  BodyHash body;
  body.how = options.body_form;
  hash_body(message.body(message.root()), {&body, 1});
  const auto names = names_to_sign(message, options);
  const auto now = options.now != 0 ? options.now : static_cast<std::uint64_t>(std::time(nullptr));
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ":") + name;

  tags.push_back({"a", key.type() == KeyType::Rsa ? "rsa-sha256" : "ed25519-sha256"});
  tags.push_back({"c", form_name(options.header_form) + "/" + form_name(options.body_form)});
  tags.push_back({"d", text::to_lower(options.domain)});
  tags.push_back({"s", options.selector});
  tags.push_back({"t", std::to_string(now)});
  if (options.lifetime_seconds != 0) tags.push_back({"x", std::to_string(now + options.lifetime_seconds)});
  tags.push_back({"h", list});
  tags.push_back({"bh", base::to_base64({reinterpret_cast<const char*>(body.digest.data()), body.digest.size()})});
  const auto digest = hash_header(message, names, std::string(field) + ":" + folded_tags(field, tags, ""), options.header_form);
  const auto signature = key.sign(digest);
  if (!signature) return std::unexpected(signature.error());
  return folded_tags(field, tags, *signature);
}

}  // namespace

std::string folded_tags(std::string_view name, std::span<const TagText> tags, std::string_view signature) {
  FoldedText text(name);
  for (const auto& tag : tags) {
    if (tag.name != "h") {
      text.add_word(tag.name + "=" + tag.value + ";");
      continue;
    }
    text.add_word("h=");
    const auto names = text::split(tag.value, ':');
    for (std::size_t i = 0; i < names.size(); ++i) text.add_part(std::string(names[i]) + (i + 1 < names.size() ? ":" : ";"));
  }
  text.add_word("b=");
  text.add_octets(base::to_base64(signature));
  return text.text();
}

base::Result<std::string> sign(const mail::Message& message, const PrivateKey& key, const SignOptions& options) {
  std::vector<TagText> tags = {{"v", "1"}};
  if (!options.identity.empty()) tags.push_back({"i", options.identity});
  return sign_as("DKIM-Signature", std::move(tags), message, key, options);
}

base::Result<std::string> sign_for_arc(const mail::Message& message, unsigned instance, const PrivateKey& key, const SignOptions& options) {
  return sign_as("ARC-Message-Signature", {{"i", std::to_string(instance)}}, message, key, options);
}

}  // namespace authn::dkim
