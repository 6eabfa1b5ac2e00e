#include "lib/mail/seven_bit.h"

#include <doctest/doctest.h>

#include "lib/base/utf8.h"
#include "lib/mail/message.h"

using mail::to_seven_bit;

TEST_CASE("seven_bit: text becomes quoted-printable, and the header says so") {
  CHECK(to_seven_bit("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9 = x\r\n.\r\n") ==
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 =3D x\r\n.\r\n");
}

TEST_CASE("seven_bit: what was no MIME message becomes one of unknown charset (RFC 1428)") {
  CHECK(to_seven_bit("Subject: x\n\n\xe9\n") ==
        "Subject: x\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\n=E9\r\n");
  CHECK(to_seven_bit("\n\xe9") == "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\n=E9");
}

TEST_CASE("seven_bit: only the parts that need it; containers become 7bit; what nobody is shown is cleaned") {
  const auto converted = to_seven_bit(
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\ncontent-transfer-encoding: 8BIT\r\n\r\npr\xe9\r\n"
      "--b\r\n\r\nplain\r\n"
      "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe9\r\n"
      "--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\xff\xfe\r\n"
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n\xe9\r\n"
      "--b--\r\n\xe9pilogue\r\n");
  REQUIRE(converted);
  CHECK(*converted ==
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\npr?\r\n"
        "--b\r\n\r\nplain\r\n"
        "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n"
        "--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n//4=\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n"
        "--b--\r\n?pilogue\r\n");
}

TEST_CASE("seven_bit: what is sealed stays, unless the 8-bit part is beside it") {
  const std::string sealed = "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\n\xe9\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n";
  const auto refused = to_seven_bit(sealed);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == "it is signed or encrypted as it stands");
  const std::string seven = "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\ne\r\n--s--\r\n";
  CHECK(to_seven_bit("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + seven + "\r\n--b\r\n\r\n\xe9\r\n--b--\r\n"));
  CHECK_FALSE(to_seven_bit("Content-Type: message/partial; id=x; number=1\r\n\r\n\xe9\r\n"));
}

TEST_CASE("seven_bit: octets in headers stay, several encodings become one") {
  CHECK(to_seven_bit("Subject: \xe9\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\nContent-Transfer-Encoding:\r\n 8bit\r\n\r\n\xe9\r\n") ==
        "Subject: \xe9\r\nContent-Transfer-Encoding: quoted-printable\r\nX: y\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n\r\n=E9\r\n");
  CHECK(to_seven_bit("Subject: x\r\n\r\nplain\r\n") == "Subject: x\r\n\r\nplain\r\n");
}
