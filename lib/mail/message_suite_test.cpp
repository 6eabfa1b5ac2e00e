// The index against what others make of the same messages: mail-parser's expectations, and CPython's trees as a second
// opinion. Where we differ, the table says why.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/mail/message.h"
#include "lib/mail/mime.h"
#include "tests/testdata.h"

using nlohmann::json;

namespace {

using Differences = std::map<std::string, std::string>;  // file -> why we differ

std::string without_cr(std::string octets) {
  for (auto at = octets.find("\r\n"); at != std::string::npos; at = octets.find("\r\n", at)) octets.erase(at, 1);
  return octets;
}
std::string with_crlf(const std::string& octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r')) out += '\r';
    out += octets[i];
  }
  return out;
}

json tree_of(const mail::Message& message, std::uint32_t index) {
  const auto& part = message.parts()[index];
  json children = json::array();
  for (auto child = part.first_child; child != mail::kNoPart; child = message.parts()[child].next_sibling) children.push_back(tree_of(message, child));
  return {{"header", part.offset}, {"body", part.body}, {"end", part.end}, {"parts", children}};
}

// mail-parser gives a flat list with indices, and a message in a message as a document of its own.
json tree_of(const json& document, std::size_t index) {
  const auto& part = document["parts"][index];
  json children = json::array();
  if (part["body"].contains("Multipart"))
    for (const auto& child : part["body"]["Multipart"]) children.push_back(tree_of(document, child.get<std::size_t>()));
  if (part["body"].contains("Message")) children.push_back(tree_of(part["body"]["Message"], 0));
  return {{"header", part["offset_header"]}, {"body", part["offset_body"]}, {"end", part["offset_end"]}, {"parts", children}};
}

// CPython's tree has no offsets: types are compared, and the octets of decoded leaves. Only ours is to call the body of a
// delivery-status or external-body no message, and what CPython counts in a multipart without parts does not matter.
bool has_no_outline(const std::string& type) { return type == "message/delivery-status" || type == "message/external-body"; }
json outline_of(const mail::Message& message, std::uint32_t index) {
  const auto& part = message.parts()[index];
  json outline = {{"type", part.type + "/" + part.subtype}};
  if (has_no_outline(outline["type"]) || (part.type == "multipart" && part.first_child == mail::kNoPart)) return outline;
  if (part.kind == mail::Part::Kind::Leaf) {
    std::string decoded;
    mail::decode(decoded, message.body(part), part.encoding);
    outline["octets"] = decoded.size();
    return outline;
  }
  outline["parts"] = json::array();
  for (auto child = part.first_child; child != mail::kNoPart; child = message.parts()[child].next_sibling) outline["parts"].push_back(outline_of(message, child));
  return outline;
}
json outline_of(const json& theirs) {
  const auto type = theirs["type"].get<std::string>();
  json outline = {{"type", type}};
  if (has_no_outline(type) || (type.starts_with("multipart/") && !theirs.contains("parts"))) return outline;
  if (theirs.contains("octets")) outline["octets"] = theirs["octets"];
  if (!theirs.contains("parts")) return outline;
  outline["parts"] = json::array();
  for (const auto& part : theirs["parts"]) outline["parts"].push_back(outline_of(part));
  return outline;
}

}  // namespace

TEST_CASE("message: the trees of mail-parser, with their offsets, for both line ends") {
  constexpr auto kExact = "a delimiter line holds the boundary and nothing else; RFC 2046 5.1.1 would let it go on, but then boundaries that begin alike break";
  constexpr auto kOuter = "the delimiter of an outer multipart ends the inner ones too (RFC 2046 5.1.2)";
  constexpr auto kEmpty = "what follows a delimiter is a part, even if it is empty";
  constexpr auto kFirst = "of two Content-Type fields the first counts";
  const Differences known = {
      {"rfc/008", "a message in base64 is against RFC 2046 5.2.1 and would have to be copied: a leaf"},
      {"malformed/000", kEmpty}, {"malformed/013", kEmpty}, {"malformed/014", kEmpty},
      {"malformed/001", kExact}, {"malformed/004", kExact}, {"malformed/007", kExact},
      {"malformed/008", kOuter}, {"malformed/009", kOuter}, {"malformed/011", kOuter}, {"malformed/012", kOuter}, {"malformed/016", kOuter},
      {"malformed/019", "a line that is no field ends the header"},
      {"malformed/020", kFirst}, {"malformed/021", kFirst},
      {"malformed/022", "a message/rfc822 has a message in it, even if that has no header"},
  };
  const auto directory = testdata::find("mime/mail-parser");
  if (directory.empty()) return;
  int seen = 0;
  for (const auto* folder : {"rfc", "malformed"}) {
    for (const auto& file : std::filesystem::directory_iterator(directory / folder)) {
      if (file.path().extension() != ".eml") continue;
      const auto stem = file.path().stem().string();
      for (const bool has_crlf : {false, true}) {
        const auto name = std::string(folder) + "/" + stem;
        const auto expected = json::parse(testdata::read(directory / folder / (stem + (has_crlf ? ".crlf.json" : ".json"))));
        const auto stored = without_cr(testdata::read(file.path()));
        const auto octets = has_crlf ? with_crlf(stored) : stored;
        const auto message = mail::Message::index(octets);
        CAPTURE(name);
        CAPTURE(has_crlf);
        ++seen;
        const bool is_same = tree_of(message, 0) == tree_of(expected, 0);
        CAPTURE(tree_of(message, 0).dump());
        CAPTURE(tree_of(expected, 0).dump());
        CHECK(is_same != known.contains(name));
      }
    }
  }
  CHECK(seen == 66);
}

TEST_CASE("message: the trees of CPython") {
  constexpr auto kLastLine = "CPython drops the last line end where the closing delimiter is missing";
  constexpr auto kSame = "two multiparts, one in the other, have the same boundary: the inner one's parts are its own";
  constexpr auto kTokens = "the type ends where its token does";
  constexpr auto kBase64 = "CPython keeps base64 that it cannot decode; we decode what there is";
  const Differences known = {
      {"cpython/msg_15.txt", kSame}, {"cpython/msg_39.txt", kSame}, {"mail-parser/malformed/013.eml", kSame},
      {"mail-parser/malformed/003.eml", kSame}, {"mail-parser/malformed/005.eml", kSame},
      {"cpython/msg_37.txt", "two delimiters in a row have an empty part between them"},
      {"mail-parser/malformed/000.eml", "two delimiters in a row have an empty part between them"},
      {"enmime/low-quality/bad-header-wrap.raw", kBase64}, {"enmime/parts/extra-base64-character.raw", kBase64},
      {"enmime/mail/mime-bad-content-transfer-encoding.raw", "the encoding's name counts, whatever stands behind it"},
      {"enmime/mail/mime-bad-content-type.raw", kTokens}, {"enmime/mail/mime-blank-media-name.raw", kTokens},
      {"enmime/parts/ctype-invalid-characters.raw", kTokens}, {"mail-parser/malformed/017.eml", kTokens},
      {"enmime/parts/badboundary.raw", kLastLine}, {"enmime/parts/multimixed-no-closing-boundary.raw", kLastLine},
      {"mail-parser/malformed/001.eml", kLastLine}, {"mail-parser/malformed/006.eml", kLastLine}, {"mail-parser/malformed/008.eml", kLastLine},
      {"mail-parser/malformed/009.eml", kLastLine}, {"mail-parser/malformed/011.eml", kLastLine}, {"mail-parser/malformed/012.eml", kLastLine},
      {"mail-parser/malformed/016.eml", kLastLine}, {"mikel-mail/mime_emails/raw_email4.eml", kLastLine},
      {"mail-parser/malformed/019.eml", "\"Fro :\" is the obsolete form of a field"},
      {"mail-parser/rfc/008.eml", "a message in base64 is a leaf"},
      {"mikel-mail/attachment_emails/attachment_message_rfc822_inline_image.eml", "blanks before a line end are no part of quoted-printable (RFC 2045 6.7 rule 3)"},
      {"mikel-mail/rfc2822/example13.eml", "blanks before the colon are obsolete, not wrong (RFC 5322 4.5)"},
  };
  const auto file = testdata::find("mime/cpython-reference.json");
  if (file.empty()) return;
  const auto reference = json::parse(testdata::read(file));
  int seen = 0;
  for (const auto& [name, expected] : reference["messages"].items()) {
    const auto octets = without_cr(testdata::read(testdata::find("mime/" + name)));
    const auto message = mail::Message::index(octets);
    CAPTURE(name);
    ++seen;
    const auto ours = outline_of(message, 0), theirs = outline_of(expected["tree"]);
    CAPTURE(ours.dump());
    CAPTURE(theirs.dump());
    CHECK((ours == theirs) != known.contains(name));
  }
  CHECK(seen == 269);
}
