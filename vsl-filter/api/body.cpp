// What rules do with the body of the message and its parts (vsl.md 5.4).
#include <mbedtls/md.h>

#include <array>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/lint/check.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/body/footer.h"
#include "vsl-filter/body/replacement.h"
#include "vsl-filter/lang/regex.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

std::unexpected<vsl::Failure> over_budget() { return vsl::fail(vsl::ErrorKind::TooManyOperations, "Too many operations"); }

// The message, once its octets are paid for.
vsl::Expected<Message*> body_at(Run& run, std::string_view name) {
  auto message = message_at(run, name);
  if (message && !run.charge((*message)->body_size() / 64)) return over_budget();
  return message;
}

// A text is looked for as it is, a regex by its pattern.
vsl::Expected<std::function<bool(std::string_view)>> matcher_of(const Value& wanted) {
  using Matcher = std::function<bool(std::string_view)>;
  if (wanted.is_string()) return Matcher([text = std::string(wanted.as_text())](std::string_view octets) { return octets.contains(text); });
  auto pattern = vsl::regex_of(wanted);
  if (!pattern) return pass_on(pattern);
  return Matcher([regex = *pattern](std::string_view octets) { return regex->matches(octets); });
}

Result contains(Run& run, Arguments a) {
  auto message = body_at(run, "body");
  if (!message) return pass_on(message);
  auto matches = matcher_of(a[0]);
  if (!matches) return pass_on(matches);
  const auto octets = (*message)->body();
  if (!octets) return fail_with(octets.error());
  if ((*matches)(*octets)) return true;
  const auto parts = (*message)->parts();
  if (!parts) return fail_with(parts.error());
  return decoded_texts_match(**parts, *matches, run.heap().limits().string_octets);
}

// Where the text is, the new one.
Rewrite rewrite_text(std::string text, std::string put) {
  return [text = std::move(text), put = std::move(put)](std::string_view octets, const Sink& sink) -> base::Result<std::uint64_t> {
    std::uint64_t count = 0;
    std::size_t from = 0;
    for (auto at = octets.find(text); at != std::string_view::npos; at = octets.find(text, from), ++count) {
      for (const std::string_view piece : {octets.substr(from, at - from), std::string_view(put)})
        if (const auto done = sink(piece); !done) return std::unexpected(done.error());
      from = at + text.size();
    }
    if (count > 0)
      if (const auto done = sink(octets.substr(from)); !done) return std::unexpected(done.error());
    return count;
  };
}

Rewrite rewrite_regex(Run& run, const vsl::Regex& regex, vsl::Substitution put) {
  return [&run, &regex, put = std::move(put)](std::string_view octets, const Sink& sink) -> base::Result<std::uint64_t> {
    std::uint64_t count = 0;
    std::size_t from = 0;
    std::string piece;
    base::Result<void> done;
    regex.each(octets, [&](const vsl::Regex::Groups& groups) {
      const auto at = static_cast<std::size_t>(groups.front().data() - octets.data());
      piece = octets.substr(from, at - from);
      put.append_to(piece, groups);
      from = at + groups.front().size();
      ++count;
      done = sink(piece);
      return done.has_value() && run.charge(1);
    });
    if (done && count > 0) done = sink(octets.substr(from));
    if (!done) return std::unexpected(done.error());
    return count;
  };
}

Result replace(Run& run, Arguments a) {
  auto message = body_at(run, "body");
  if (!message) return pass_on(message);
  Rewrite rewrite;
  if (a[0].is_string()) {
    if (a[0].as_text().empty()) return vsl::fail_api("body::replace: there is no text to look for");
    rewrite = rewrite_text(std::string(a[0].as_text()), std::string(a[1].as_text()));
  } else {
    auto pattern = vsl::regex_of(a[0]);
    if (!pattern) return pass_on(pattern);
    auto put = vsl::Substitution::of(a[1].as_text(), **pattern);
    if (!put) return pass_on(put);
    rewrite = rewrite_regex(run, **pattern, std::move(*put));
  }
  const auto parts = (*message)->parts();
  if (!parts) return fail_with(parts.error());
  auto replaced = replace_in_texts(**parts, rewrite, (*message)->header().line_end(), run.heap().limits().string_octets);
  if (!replaced) return fail_with(replaced.error());
  if (!run.charge(0)) return over_budget();
  const auto count = static_cast<std::int64_t>(replaced->count);
  if (count > 0) (*message)->apply(std::move(replaced->edit));
  return count;
}

Result put_footer(Run& run, Footer footer) {
  auto message = message_at(run, "body");
  if (!message) return pass_on(message);
  for (const std::string_view text : {std::string_view(footer.text), footer.html ? std::string_view(*footer.html) : std::string_view()})
    if (text.contains('\0')) return vsl::fail_api("body::append_footer: the text has a NUL");
  const auto parts = (*message)->parts();
  if (!parts) return fail_with(parts.error());
  auto edit = footer_edit(**parts, footer, (*message)->header().line_end(), run.heap().limits().string_octets);
  if (!edit) return false;
  (*message)->apply(std::move(*edit));
  return true;
}

Result append_footer(Run& run, Arguments a) { return put_footer(run, {std::string(a[0].as_text()), {}}); }
Result append_both_footers(Run& run, Arguments a) { return put_footer(run, {std::string(a[0].as_text()), std::string(a[1].as_text())}); }

Result hash(Run& run, Arguments a) {
  auto message = body_at(run, "body");
  if (!message) return pass_on(message);
  const auto name = base::text::to_lower(a[0].as_text());
  struct Row {
    std::string_view name;
    mbedtls_md_type_t type;
  };
  constexpr auto kRows = std::to_array<Row>({{"md5", MBEDTLS_MD_MD5}, {"sha1", MBEDTLS_MD_SHA1}, {"sha256", MBEDTLS_MD_SHA256}, {"sha512", MBEDTLS_MD_SHA512}});
  const mbedtls_md_info_t* info = nullptr;
  for (const auto& row : kRows)
    if (row.name == name) info = ::mbedtls_md_info_from_type(row.type);
  if (info == nullptr) return vsl::fail_api("body::hash: '" + base::text::printable(name, 40) + "' is no hash; expected: md5, sha1, sha256 or sha512");
  const auto octets = (*message)->body();
  if (!octets) return fail_with(octets.error());
  std::array<unsigned char, MBEDTLS_MD_MAX_SIZE> digest{};
  if (::mbedtls_md(info, reinterpret_cast<const unsigned char*>(octets->data()), octets->size(), digest.data()) != 0) return vsl::fail_api("body::hash failed");
  std::string text;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = 0; i < ::mbedtls_md_get_size(info); ++i) (text += kHex[digest[i] >> 4]) += kHex[digest[i] & 15];
  return run.string(text);
}

// By a path, or by what mime::parts() says of the part.
Result remove_part(Run& run, Arguments a) {
  auto message = message_at(run, "mime");
  if (!message) return pass_on(message);
  const Value* path = &a[0];
  if (a[0].is_map()) path = a[0].as_map().find("path");
  if (path == nullptr || !path->is_string()) return vsl::fail_api("mime::remove_part: expected the path of a part, such as \"1.2\", or a part of mime::parts()");
  const auto removed = (*message)->remove_part(path->as_text());
  if (!removed) return fail_with(removed.error());
  return *removed;
}

Value map_of(Run& run, const lint::Finding& finding) {
  const auto& row = lint::row_of(finding.id);
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  map.set("id", run.string(row.name));
  map.set("severity", run.string(lint::name_of(row.severity)));
  map.set("line", static_cast<std::int64_t>(finding.line));
  map.set("column", static_cast<std::int64_t>(finding.column));
  map.set("text", run.string(row.text));
  map.set("detail", run.string(base::text::printable(finding.detail)));
  map.set("section", run.string(row.section));
  return value;
}

// The checks of mime-check(1), with its limits.
Result check(Run& run, Arguments) {
  auto message = body_at(run, "mime");
  if (!message) return pass_on(message);
  const auto now = (*message)->finish({});
  if (!now) return fail_with(now.error());
  const auto view = now->view();
  if (!view) return fail_with(view.error());
  const auto& settings = scene_of(run).site.settings;
  lint::Findings findings({}, {settings.count("mime.findings_max"), settings.count("mime.findings_of_a_kind_max")});
  lint::check_message(view->octets(), {.is_wire = false, .limits = lint::limits_of(settings)}, findings);
  Value list = run.heap().array();
  for (const auto& finding : findings.kept()) list.array_for_write(run.heap()).push(map_of(run, finding));
  return list;
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<contains>("body::contains", "", {Any}, kFrom,
                  "whether a text or the match of a regex is in the body, as it is sent or in a text part of it, decoded: body::contains(regex(\"(?i)lottery\"))"),
    api<replace>("body::replace", "", {Any, String}, kFrom,
                 "puts a text in the place of another one, or of the matches of a regex ($1 is a group), in all texts that are no attachments; number of places"),
    api<append_footer>("body::append_footer", "", {String}, kFrom,
                       "puts a text below that of the message, in each of its alternatives; false: left alone, since it is signed, encrypted or a report"),
    api<append_both_footers>("body::append_footer", "", {String, String}, kFrom, "the same with another text for HTML, which is markup"),
    api<hash>("body::hash", "", {String}, kFrom, "hash of the body as it is sent, in hexadecimal: body::hash(\"sha256\"); also md5, sha1, sha512"),
    api<remove_part>("mime::remove_part", "", {Any}, kFrom, "takes out a part of mime::parts(), or that of a path, \"1.2\"; false if there is none"),
    api<check>("mime::check", "", {}, kFrom,
               "what is wrong with the message by RFC 5322 and MIME: array of #{id, severity, line, column, text, detail, section}, as mime-check(1) finds it"),
};

}  // namespace

std::span<const ApiRow> body_rows() { return kRows; }

}  // namespace rules
