#include "vsl-filter/transaction/mime_parts.h"

#include <doctest/doctest.h>

namespace {

constexpr std::string_view kMessage =
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    "--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n"
    "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
    "--b--\r\n"
    "--a\r\nContent-Type: application/pdf; name=\"=?utf-8?Q?M=C3=BCll.pdf?=\"\r\nContent-Transfer-Encoding: BASE64\r\n\r\nAAAA\r\n"
    "--a\r\nContent-Disposition: attachment; filename*=utf-8''a%20b.txt\r\n\r\nattached\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ninner\r\n--c--\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nleaf\r\n"
    "--a--\r\n";

}  // namespace

TEST_CASE("mime parts: type, name, encoding and path of each") {
  const auto message = mail::Message::index(kMessage);
  std::string all;
  for (const auto& part : rules::part_facts(message)) all += part.path + " " + part.type + " " + part.encoding + " [" + part.filename + "]" + (part.is_attachment ? " attached" : "") + "\n";
  CHECK(all ==
        " multipart/mixed 7bit []\n"
        "1 multipart/alternative 7bit []\n"
        "1.1 text/html 7bit []\n"
        "1.2 text/plain quoted-printable []\n"
        "2 application/pdf base64 [M\xc3\xbcll.pdf] attached\n"
        "3 text/plain 7bit [a b.txt] attached\n"
        "4 message/rfc822 7bit []\n"
        "4 multipart/mixed 7bit []\n"
        "4.1 text/plain 7bit []\n"
        "5 message/rfc822 7bit []\n"
        "5.1 text/plain 7bit []\n");
  CHECK(rules::part_facts(message)[4].octets == 4);
  CHECK(rules::is_multipart(message));
  CHECK(rules::part_text(message) == "Gr\xc3\xbc\xc3\x9f" "e");
}

TEST_CASE("mime parts: a message of one part, and none at all") {
  const auto plain = mail::Message::index("Subject: x\r\n\r\nbody\r\n");
  REQUIRE(rules::part_facts(plain).size() == 1);
  CHECK(rules::part_facts(plain)[0].path == "1");
  CHECK(rules::part_facts(plain)[0].octets == 6);
  CHECK_FALSE(rules::is_multipart(plain));
  CHECK(rules::part_text(plain) == "body\r\n");
  CHECK(rules::part_text(plain, 2) == "bo");
  const auto empty = mail::Message::index("");
  CHECK(rules::part_facts(empty).size() == 1);
  CHECK(rules::part_text(empty).empty());
  CHECK(rules::part_text(mail::Message::index("Content-Type: text/html\r\n\r\n<p>")) == "<p>");
  CHECK(rules::part_text(mail::Message::index("Content-Type: text/plain; charset=none-such\r\n\r\n\xff")) == "\xef\xbf\xbd");
}

TEST_CASE("mime parts: structured fields") {
  const auto all = rules::named_addresses({" =?utf-8?Q?J=C3=BCrgen?= <j@x.org>, Us: a@x.org, \"B, b\" <b@x.org>;", " c@x.org (Carl)"});
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "J\xc3\xbcrgen");
  CHECK(all[2].name == "B, b");
  CHECK(all[3].address == "c@x.org");
  CHECK(all[3].name == "Carl");
  CHECK(rules::decoded_field(" =?utf-8?B?SMOpbGxv?=\r\n =?utf-8?Q?_there?=") == "H\xc3\xa9llo there");
  CHECK(rules::field_date(" Fri, 21 Nov 1997 09:55:06 -0600") == base::WallTime() + std::chrono::seconds(880127706));
  CHECK_FALSE(rules::field_date(" yesterday"));
}
