// Every public sample message, with CRLF and as it is, through what rules can do to a body: nothing is lost, nothing that was right
// becomes wrong, and what was not asked for stays octet by octet.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "lib/lint/check.h"
#include "tests/testdata.h"
#include "vsl-filter/body/footer.h"
#include "vsl-filter/body/replacement.h"
#include "vsl-filter/transaction/message_testing.h"
#include "vsl-filter/transaction/mime_parts.h"

using rules::Message;
using rules::testing::finished;
using rules::testing::open;

namespace {

constexpr std::string_view kFooter = "-- \nfooter of the list";
constexpr std::size_t kLimit = 16 << 20;

// Errors of structure and encoding: what a change of a body could bring in. Headers are broken enough in some samples.
std::set<std::string_view> errors_of(std::string_view octets) {
  lint::Findings findings({}, {.in_all = 10'000, .of_a_kind = 100});
  lint::check_message(octets, {}, findings);
  std::set<std::string_view> errors;
  for (const auto& finding : findings.kept())
    if (finding.id >= lint::Id::NoBoundary && lint::row_of(finding.id).severity == lint::Severity::Error) errors.insert(lint::row_of(finding.id).name);
  return errors;
}

void check_no_new_errors(std::string_view before, std::string_view after) {
  const auto old_errors = errors_of(before), new_errors = errors_of(after);
  std::string added;
  for (const auto error : new_errors)
    if (!old_errors.contains(error)) added += std::string(error) + " ";
  CHECK(added == "");
}

std::size_t leaves_of(const mail::Message& message) {
  return static_cast<std::size_t>(std::ranges::count(message.parts(), mail::Part::Kind::Leaf, &mail::Part::kind));
}

void try_footer(const std::string& octets) {
  auto message = open(octets);
  const auto parts = message.parts();
  REQUIRE(parts);
  const auto leaves = leaves_of(**parts);
  auto edit = rules::footer_edit(**parts, {std::string(kFooter), {}}, message.header().line_end(), kLimit);
  if (!edit) return;
  message.apply(std::move(*edit));
  const auto after = finished(message);
  check_no_new_errors(octets, after);
  const auto index = mail::Message::index(after);
  CHECK(leaves_of(index) >= leaves);
  CHECK(leaves_of(index) <= leaves + 1);
  CHECK((after.contains("footer of the list") || rules::decoded_texts_match(index, [](std::string_view text) { return text.contains("footer of the list"); }, kLimit)));
}

void try_removals(const std::string& octets) {
  const auto index = mail::Message::index(octets);
  if (index.parts().size() > 12) return;
  for (const auto& facts : rules::part_facts(index)) {
    CAPTURE(facts.path);
    auto message = open(octets);
    const auto removed = message.remove_part(facts.path);
    REQUIRE(removed);
    if (!*removed) {
      CHECK(facts.path.empty());
      continue;
    }
    const auto after = finished(message);
    if (index.parts().size() > 1) check_no_new_errors(octets, after);
    CHECK(after.size() <= octets.size() + 64);
  }
}

void try_replacement(const std::string& octets) {
  auto message = open(octets);
  const auto parts = message.parts();
  REQUIRE(parts);
  // Every "e" for an "e": nothing that is decoded may be different then.
  const rules::Rewrite same = [](std::string_view text, const rules::Sink& sink) -> base::Result<std::uint64_t> {
    if (const auto done = sink(text); !done) return std::unexpected(done.error());
    return static_cast<std::uint64_t>(std::ranges::count(text, 'e'));
  };
  auto replaced = rules::replace_in_texts(**parts, same, message.header().line_end(), kLimit);
  REQUIRE(replaced);
  if (replaced->count == 0) return;
  std::vector<std::string> before;
  for (const auto& part : (*parts)->parts()) {
    before.emplace_back();
    if (part.kind == mail::Part::Kind::Leaf) mail::decode(before.back(), (*parts)->body(part), part.encoding);
  }
  message.apply(std::move(replaced->edit));
  const auto after = finished(message);
  check_no_new_errors(octets, after);
  const auto index = mail::Message::index(after);
  REQUIRE(index.parts().size() == before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (index.parts()[i].kind != mail::Part::Kind::Leaf) continue;
    std::string text;
    mail::decode(text, index.body(index.parts()[i]), index.parts()[i].encoding);
    std::erase(text, '\r');
    std::erase(before[i], '\r');
    CHECK(text == before[i]);
  }
}

}  // namespace

TEST_CASE("bodies: the sample messages keep what they are in all changes") {
  const auto directory = testdata::find("mime");
  if (directory.empty()) return;
  std::size_t count = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    const auto name = file.path().filename().string();
    if (!file.is_regular_file() || file.path().extension() == ".json" || file.path().extension() == ".md" || file.file_size() > 300'000) continue;
    auto octets = testdata::read(file.path());
    CAPTURE(name);
    CHECK(finished(open(octets)) == octets);
    try_footer(octets);
    try_removals(octets);
    try_replacement(octets);
    ++count;
  }
  CHECK(count > 100);
}
