#include "lib/authn/authentication_results.h"

#include <doctest/doctest.h>

using authn::authserv_id_of;

TEST_CASE("authentication results: written") {
  CHECK(authn::authentication_results("mx.example.org", {}) == "mx.example.org; none");
  CHECK(authn::authentication_results("mx.example.org",
                                      {{.method = "spf", .result = "pass", .reason = {}, .properties = {{"smtp.mailfrom", "me@example.com"}}},
                                       {.method = "dkim", .result = "fail", .reason = "the \"body\" was changed\r\nX: y", .properties = {{"header.d", "example.com"}, {"header.b", "ab/c="}, {"header.i", ""}}}}) ==
        "mx.example.org;\r\n\tspf=pass smtp.mailfrom=me@example.com;\r\n\tdkim=fail reason=\"the \\\"body\\\" was changedX: y\" header.d=example.com header.b=\"ab/c=\"");
}

TEST_CASE("authentication results: whose they are") {
  CHECK(authserv_id_of(" mx.example.org; none") == "mx.example.org");
  CHECK(authserv_id_of("MX.Example.org 1; spf=pass") == "mx.example.org");
  CHECK(authserv_id_of("\r\n\t(by; (a) com\\)ment) mx.example.org (v) 1 (c);\r\n none") == "mx.example.org");
  CHECK(authserv_id_of("\"mx.example.org\"; none") == "mx.example.org");
  CHECK(authserv_id_of("mx.example.org") == "mx.example.org");
  CHECK(authserv_id_of("mx.example.org spf=pass") == "");
  CHECK(authserv_id_of("(never closed mx.example.org; none") == "");
  CHECK(authserv_id_of("\"never closed; none") == "");
  CHECK(authserv_id_of("") == "");
}
