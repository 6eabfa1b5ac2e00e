#include "lib/mail/mime.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/testdata.h"

using namespace mail;

namespace {
bool has(const MimeField& field, MimeFault fault) { return std::ranges::any_of(field.findings, [&](const MimeFinding& finding) { return finding.fault == fault; }); }

std::vector<MimeFault> faults_of(std::string_view body) {
  const auto field = parse_content_type(body);
  REQUIRE(field);
  std::vector<MimeFault> faults;
  for (const auto& finding : field->findings) faults.push_back(finding.fault);
  return faults;
}
}  // namespace

TEST_CASE("mime: the parameters of RFC 2231's examples and of what mail has") {
  const auto file = testdata::find("mime/parameters.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : suite["cases"]) {
    const auto value = test["value"].get<std::string>();
    CAPTURE(value);
    // Values with a slash are Content-Types, others dispositions.
    const bool is_disposition = value.starts_with("attachment");
    const auto field = is_disposition ? parse_content_disposition(value) : parse_content_type(value);
    CHECK(field.has_value() == !test["params"].is_null());
    if (!field || test["params"].is_null()) continue;
    for (const auto& [name, expected] : test["params"].items()) {
      CAPTURE(name);
      const auto* found = field->parameter(name);
      const nlohmann::json got = found != nullptr ? nlohmann::json(*found) : nlohmann::json();
      CHECK((expected.is_array() ? std::ranges::find(expected, got) != expected.end() : got == expected));
    }
    CHECK(field->parameters.size() <= test["params"].size());
  }
}

TEST_CASE("mime: Content-Type values of mail-parser") {
  const auto file = testdata::find("mime/mail-parser/headers/content_type.json");
  if (file.empty()) return;
  // Where mail-parser goes on behind the end of the field, joins what RFC 2231 keeps apart, or reads encoded words where RFC 2047
  // section 5 forbids them, only type and subtype are compared.
  int compared = 0;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : suite) {
    auto header = test["header"].get<std::string>();
    if (header.ends_with('\n')) header.pop_back();
    const bool has_two_slashes = header.find('/') != header.rfind('/') && header.rfind('/') < header.find(';');
    if (header.contains("\n\n") || !test["expected"].is_object() || has_two_slashes) continue;
    CAPTURE(header);
    const auto field = parse_content_type(header);
    nlohmann::json expected = test["expected"];  // a copy: what is missing becomes null
    if (!field) {
      CHECK((expected["c_subtype"].is_null() || expected["c_type"].get<std::string>().find_first_of(" ;") != std::string::npos));
      continue;
    }
    const auto subtype = expected["c_subtype"].is_null() ? std::string() : expected["c_subtype"].get<std::string>();
    CHECK(field->value == expected["c_type"].get<std::string>());
    CHECK(field->subtype == subtype);
    if (!expected["attributes"].is_array() || header.contains("=?") || header.contains('*') || !field->findings.empty()) continue;
    for (const auto& attribute : expected["attributes"]) {
      const auto name = attribute[0].get<std::string>();
      REQUIRE(field->parameter(name) != nullptr);
      CHECK(*field->parameter(name) == attribute[1].get<std::string>());
      ++compared;
    }
  }
  CHECK(compared > 40);
}

TEST_CASE("mime: what is wrong with parameters is said with its place") {
  using enum MimeFault;
  using Faults = std::vector<MimeFault>;
  CHECK(faults_of("text/plain; charset=utf-8").empty());
  CHECK(faults_of("text/plain (a (b)); charset=\"a\\\"b\"; x*=utf-8'en'%41").empty());
  CHECK(faults_of("text/plain; charset=\"a") == Faults{UnclosedQuote});
  CHECK(faults_of("text/plain (a; charset=b") == Faults{UnclosedComment});
  CHECK(faults_of("text/plain; name=a b.txt") == Faults{UnquotedValue});
  CHECK(faults_of("text/plain; name=[x]") == Faults{UnquotedValue});
  CHECK(faults_of("text/plain; charset") == Faults{MissingValue});
  CHECK(faults_of("text/plain; charset=; a=b") == Faults{MissingValue});
  CHECK(faults_of("text/plain;; a=b;") == Faults{EmptyParameter, EmptyParameter});
  CHECK(faults_of("text/plain; a=b; A=c") == Faults{DuplicateParameter});
  CHECK(faults_of("text/plain; a=b; a*=''c").empty());  // RFC 2231's way to speak to old and new readers
  CHECK(faults_of("text/plain; a*0=b; a*2=c") == Faults{BadContinuation});
  CHECK(faults_of("text/plain; a*1=b") == Faults{BadContinuation});
  CHECK(faults_of("text/plain; a*=b") == Faults{BadExtended});
  CHECK(faults_of("text/plain; a*=''%4") == Faults{BadPercent});
  CHECK(faults_of("text/plain; a=\"=?utf-8?q?b?=\"") == Faults{EncodedWord});
  CHECK(faults_of("text/plain a=b") == Faults{Syntax});
  CHECK(faults_of("text/plain; =b") == Faults{Syntax});
  CHECK(parse_content_type("text/plain; name=a b.txt")->findings[0].offset == 18);
  CHECK(parse_content_type("multipart/mixed;\r\n\tboundary=----=_Part")->parameter("boundary")->compare("----=_Part") == 0);

  std::string many = "a/b";
  for (int i = 0; i < 200; ++i) many += "; p" + std::to_string(i) + "=v";
  const auto field = parse_content_type(many);
  CHECK(field->parameters.size() == 100);
  CHECK(has(*field, TooMany));
}

TEST_CASE("mime: transfer encodings by name") {
  CHECK(parse_transfer_encoding(" BASE64 ").encoding == TransferEncoding::Base64);
  CHECK(parse_transfer_encoding(" (x) quoted-printable (y)").encoding == TransferEncoding::QuotedPrintable);
  CHECK_FALSE(parse_transfer_encoding(" (x) quoted-printable (y)").has_junk);
  CHECK(parse_transfer_encoding(" 8bit; charset=x").has_junk);
  CHECK(parse_transfer_encoding(" 8bit; charset=x").encoding == TransferEncoding::EightBit);
  CHECK(parse_transfer_encoding("x-uuencode").encoding == TransferEncoding::Unknown);
  CHECK(parse_transfer_encoding("").name.empty());
  CHECK(name_of(TransferEncoding::SevenBit) == "7bit");
}
