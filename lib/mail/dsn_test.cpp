#include "lib/mail/dsn.h"

#include <doctest/doctest.h>

using namespace mail;

TEST_CASE("NOTIFY: NEVER alone, or a list of the others") {
  CHECK(parse_notify("never") == kNever);
  CHECK(parse_notify("SUCCESS,Failure,DELAY") == (kSuccess | kFailure | kDelay));
  CHECK(parse_notify("DELAY,DELAY") == kDelay);
  for (const auto* bad : {"", "NEVER,DELAY", "SUCCESS,", ",SUCCESS", "ALWAYS", "SUCCESS;DELAY", "SUCCESS, DELAY"}) CHECK_FALSE(parse_notify(bad));
  CHECK(notify_text(kSuccess | kDelay) == "SUCCESS,DELAY");
  CHECK(notify_text(0).empty());
}

TEST_CASE("xtext goes there and back, and is strict") {
  const std::string all = [] {
    std::string octets;
    for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
    return octets;
  }();
  CHECK(is_xtext(to_xtext(all)));
  CHECK(from_xtext(to_xtext(all)) == all);
  CHECK(to_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
  for (const auto* bad : {"a b", "a=b", "a+2b", "a+", "a+2", "\xc3\xbc", "+G0"}) CHECK_FALSE(is_xtext(bad));
}

TEST_CASE("ENVID stands for printable ASCII, of 100 octets at most") {
  CHECK(is_envelope_id("QQ314159"));
  CHECK(is_envelope_id("a+20b"));
  CHECK(is_envelope_id(std::string(100, 'a')));
  CHECK_FALSE(is_envelope_id(std::string(101, 'a')));
  for (const auto* bad : {"", "a+0D+0Ab", "a+00", "a+7F", "a+C3+BC"}) CHECK_FALSE(is_envelope_id(bad));
}

TEST_CASE("ORCPT: a type and an xtext, or a utf-8 address in its forms") {
  struct Case {
    const char* value;
    bool in_ascii, with_utf8;
  };
  for (const auto& [value, in_ascii, with_utf8] : {
           Case{"rfc822;you@example.org", true, true},
           Case{"RFC822;a+2Bb@example.org", true, true},
           Case{"x400;/S=any/", false, false},
           Case{"x400;/S+3Dany/", true, true},
           Case{"rfc822;", false, false},
           Case{";you", false, false},
           Case{"rfc822", false, false},
           Case{"rf c;you", false, false},
           Case{"rfc822;you+0D+0ATo:+20me", false, false},  // a field of its own, once it stands in a header
           Case{"rfc822;\xc3\xbc@example.org", false, false},
           Case{"utf-8;\xc3\xbc@example.org", false, true},
           Case{"utf-8;\\x{FC}@example.org", true, true},
           Case{"utf-8;\\x{fc}@example.org", false, false},
           Case{"utf-8;\\x{0FC}@example.org", false, false},
           Case{"utf-8;\\x{41}@example.org", false, false},  // stands as it is
           Case{"utf-8;\\x{2B}\\x{3D}\\x{5C}@example.org", true, true},
           Case{"utf-8;a+2Bb@example.org", false, false},  // that is xtext, not this
           Case{"utf-8;\\x{D800}@example.org", false, false},
           Case{"utf-8;\\x{110000}@example.org", false, false},
           Case{"utf-8;\\x{10FFFF}@example.org", true, true},
           Case{"utf-8;\\x{0A}@example.org", false, false},
           Case{"utf-8;\\x{FC@example.org", false, false},
           Case{"utf-8;\xc3@example.org", false, false},
       }) {
    CAPTURE(value);
    CHECK(is_original_recipient(value, false) == in_ascii);
    CHECK(is_original_recipient(value, true) == with_utf8);
  }
  CHECK(is_original_recipient("rfc822;" + std::string(493, 'a'), false));
  CHECK_FALSE(is_original_recipient("rfc822;" + std::string(494, 'a'), false));
}

TEST_CASE("a utf-8 address goes in ASCII where it must") {
  CHECK(original_recipient_in_ascii("utf-8;\xc3\xbc@\xe4\xbe\x8b.example") == "utf-8;\\x{FC}@\\x{4F8B}.example");
  CHECK(original_recipient_in_ascii("rfc822;a+2Bb@c") == "rfc822;a+2Bb@c");
  CHECK(original_recipient_of("a+b@c") == "rfc822;a+2Bb@c");
  CHECK(original_recipient_of("\xc3\xbc+@c") == "utf-8;\xc3\xbc\\x{2B}@c");
  CHECK(is_original_recipient(original_recipient_of("\xc3\xbc+@c"), true));
}

TEST_CASE("a report names addresses with their type") {
  CHECK(report_address_of_parameter("rfc822;a+2Bb@c", false) == "rfc822; a+b@c");
  CHECK(report_address_of_parameter("utf-8;\\x{FC}@c", true) == "utf-8; \xc3\xbc@c");
  CHECK(report_address_of_parameter("utf-8;\xc3\xbc@c", false) == "utf-8; \\x{FC}@c");
  CHECK(report_address("you@example.org", true) == "rfc822; you@example.org");
  CHECK(report_address("\xc3\xbc@c", true) == "utf-8; \xc3\xbc@c");
  CHECK(report_address("\xc3\xbc@c", false) == "utf-8; \\x{FC}@c");
  CHECK(report_address("\xff@c", true) == "utf-8; \\x{FFFD}@c");
}
