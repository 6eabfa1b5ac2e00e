#include "lib/net/domain_name.h"

#include <doctest/doctest.h>

using net::to_a_labels;

TEST_CASE("domain_name: U-labels become A-labels, the rest stays") {
  CHECK(*to_a_labels("example.org") == "example.org");
  CHECK(*to_a_labels("My_Host.Example") == "My_Host.Example");
  CHECK(*to_a_labels("b\xC3\xBC" "cher.example") == "xn--bcher-kva.example");
  CHECK(*to_a_labels("\xE4\xBE\x8B\xE3\x81\x88.\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88") == "xn--r8jz45g.xn--zckzah");
  CHECK(*to_a_labels("stra\xC3\x9F" "e.example") == "xn--strae-oqa.example");  // not transitional: another name than strasse
}

TEST_CASE("domain_name: what is no name is said to be none") {
  CHECK_FALSE(to_a_labels("\xE9.example"));                                        // not UTF-8
  CHECK_FALSE(to_a_labels("\xE2\x82\xAC" + std::string(70, 'a') + ".example"));    // label too long
  CHECK_FALSE(to_a_labels(std::string("\xC3\xBC\0.example", 11)));
  CHECK(to_a_labels("\xE9.example").error().cause.starts_with("domain \\xe9.example: "));
}
