#include "vsl-filter/lang/std_test.h"

using namespace vsl::test;

TEST_CASE("standard functions: JSON") {
  constexpr Evaluation kTable[] = {
      {R"(parse_json(" { \"b\" : [1, -2.5, 1e3, true, null, \"x\\u00e9\\n\\ud83d\\ude00\"], \"a\": {} } "))",
       R"(#{"a": #{}, "b": [1, -2.5, 1000.0, true, (), "xé\n😀"]})"},
      {R"([json::parse("9223372036854775807"), json::parse("9223372036854775808"), json::parse("\"\""), json::parse("-0"), json::parse("0.0")])",
       R"([9223372036854775807, 9.223372036854776e18, "", 0, 0.0])"},
      {R"([parse_json("1e-400"), parse_json("-1e-99999"), parse_json("4e-320"), parse_json("18446744073709551616")])",
       R"([0.0, -0.0, 4e-320, 1.8446744073709552e19])"},
      {R"(parse_json("[1e400]"))", "error: Error parsing JSON, line 1, column 2: a number out of range"},
      {R"(parse_json("{\"a\":1,\"a\":2}"))", R"(#{"a": 2})"},
      {R"(parse_json(""))", "error: Error parsing JSON, line 1, column 1: a value expected, not the end"},
      {R"(parse_json("[1,\n 2,]"))", "error: Error parsing JSON, line 2, column 4: a value expected"},
      {R"(parse_json("[1 2]"))", "error: Error parsing JSON, line 1, column 4: ',' or ']' expected"},
      {R"(parse_json("{a: 1}"))", "error: Error parsing JSON, line 1, column 2: a name in quotes expected"},
      {R"(parse_json("1 x"))", "error: Error parsing JSON, line 1, column 3: nothing more expected here"},
      {R"(parse_json("01"))", "error: Error parsing JSON, line 1, column 1: a number must not begin with 0"},
      {R"(parse_json("1."))", "error: Error parsing JSON, line 1, column 1: a digit expected after '.'"},
      {R"(parse_json("\"a"))", "error: Error parsing JSON, line 1, column 2: a string without its closing quote"},
      {R"(parse_json("\"\\q\""))", "error: Error parsing JSON, line 1, column 3: an unknown escape in a string"},
      {R"(parse_json("\"\\ud800\""))", "error: Error parsing JSON, line 1, column 8: half of a surrogate pair"},
      {R"(parse_json("\"\t\""))", "error: Error parsing JSON, line 1, column 2: a control character in a string"},
      {R"(let s = ""; s.pad(128, '['); let t = ""; t.pad(128, ']'); type_of(parse_json(s + t)))", "\"array\""},
      {R"(let s = ""; s.pad(100000, '['); parse_json(s))", "error: Error parsing JSON, line 1, column 130: arrays and objects nested too deeply"},
      {R"(let r = ""; try { parse_json("x") } catch (e) { r = e.error } r)", R"("ErrorParsing")"},
      {R"(let r = ""; try { json::parse("x") } catch (e) { r = "JSON" in e } r)", "true"},
      {R"([json::stringify(1.0), json::stringify("é\u{1}"), json::stringify([]), json::stringify(0.0/0.0), json::stringify(())])",
       "error: "},
      {R"([json::stringify(1.0), json::stringify("é\x01"), json::stringify([]), json::stringify(0.0/0.0), json::stringify(()), json::stringify(1..3)])",
       R"(["1.0", "\"é\\u0001\"", "[]", "null", "null", "\"1..3\""])"},
      {R"(json::stringify(#{a: [1, #{b: 2}], c: []}, 2))", R"("{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": []\n}")"},
      {R"(let m = #{x: [1, 2.5, "a", true, ()]}; parse_json(m.to_json()) == m)", "true"},
  };
  for (const auto& [script, expected] : kTable) {
    CAPTURE(script);
    if (expected == "error: ")  // \u{1} is no escape: the script itself is refused
      CHECK(evaluated(std::string(script)).starts_with(expected));
    else
      CHECK(evaluated(std::string(script)) == expected);
  }
}

// RFC 1321 A.5, FIPS 180-2 examples
TEST_CASE("standard functions: hashes") {
  constexpr Evaluation kTable[] = {
      {R"([hash::md5("abc"), hash::sha1("abc"), hash::sha256("abc"), hash::sha256("abc".to_blob()) == hash::sha256("abc")])",
       R"(["900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", true])"},
      {R"([hash::md5(""), hash::sha512("abc").sub_string(0, 16), hash::sha512("").len])", R"(["d41d8cd98f00b204e9800998ecf8427e", "ddaf35a193617aba", 128])"},
  };
  check_all(kTable);
}

// RFC 4648 section 10
TEST_CASE("standard functions: base64") {
  constexpr Evaluation kTable[] = {
      {R"(["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|s| base64::encode(s)))", R"(["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"])"},
      {R"(["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9v\r\n YmFy", "Zg", "w6k="].map(|s| base64::decode(s)))",
       R"(["", "f", "fo", "foo", "foob", "fooba", "foobar", "f", "é"])"},
      {R"(base64::decode_blob("/+8=").to_array())", "[255, 239]"},
      {R"(base64::decode("/+8="))", "error: what the base64 text says is not UTF-8; base64::decode_blob() takes it"},
      {R"(base64::decode("Zm9*"))", "error: not base64: octet 3 does not belong there"},
      {R"(base64::decode("Zg==Zg=="))", "error: not base64: octet 4 does not belong there"},
      {R"(base64::decode("Z"))", "error: not base64: the end is missing"},
      {R"(base64::decode("Zg="))", "error: not base64: the end is missing"},
      {R"(base64::encode(blob(2, 255)))", R"("//8=")"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: URLs") {
  constexpr Evaluation kTable[] = {
      {R"([url::encode("a b/é~"), url::decode("a%20b%2F%C3%A9+"), url::encode("")])", R"(["a%20b%2F%C3%A9~", "a b/é+", ""])"},
      {R"(url::decode("%4"))", "error: not percent-encoded UTF-8: '%4'"},
      {R"(url::decode("%FF"))", "error: not percent-encoded UTF-8: '%FF'"},
      {R"(let u = url::parse("HTTPS://ann:p%40ss@Example.ORG:8443/a/b%20c?x=1&y=a+b&z#frag"); [u.scheme, u.user, u.password, u.host, u.port, u.path, u.query, u.parameters, u.fragment])",
       R"(["https", "ann", "p@ss", "example.org", 8443, "/a/b%20c", "x=1&y=a+b&z", #{"x": "1", "y": "a b", "z": ""}, "frag"])"},
      {R"(let u = url::parse("http://[2001:db8::1]:80/"); [u.host, u.port, u.user, u.query, u.parameters])", R"(["2001:db8::1", 80, (), (), #{}])"},
      {R"(let u = url::parse("mailto:ann@example.org"); [u.scheme, u.host, u.path])", R"(["mailto", (), "ann@example.org"])"},
      {R"(let u = url::parse("/only/path"); [u.scheme, u.path])", R"([(), "/only/path"])"},
      {R"(url::parse("http://example.org:99999/"))", "error: 'http://example.org:99999/' is not a valid URL."},
      {R"(url::parse("http://[::1/"))", "error: 'http://[::1/' is not a valid URL."},
  };
  check_all(kTable);
}
