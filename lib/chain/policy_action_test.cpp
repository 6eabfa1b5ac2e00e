#include "lib/chain/policy_action.h"

#include <doctest/doctest.h>

using chain::parse_action;
using Kind = chain::PolicyAction::Kind;

TEST_CASE("policy action: words in either case, with what stands behind them") {
  struct Row {
    const char* text;
    Kind kind;
    const char* rest;
  };
  constexpr Row kRows[] = {
      {"DUNNO", Kind::Dunno, ""},
      {"dunno  ", Kind::Dunno, ""},
      {"DUNNO for some reason", Kind::Dunno, "for some reason"},
      {"OK", Kind::Ok, ""},
      {"permit", Kind::Ok, ""},
      {"REJECT", Kind::Refuse, "554 5.7.1 Access denied"},
      {"555 5.5.5", Kind::Refuse, "555 5.5.5 Access denied"},
      {"reject no such thing", Kind::Refuse, "554 5.7.1 no such thing"},
      {"REJECT 5.1.1 nobody here", Kind::Refuse, "554 5.1.1 nobody here"},
      {"DEFER", Kind::Refuse, "450 4.7.1 Access denied"},
      {"DEFER later", Kind::Refuse, "450 4.7.1 later"},
      {"550", Kind::Refuse, "550 5.7.1 Access denied"},
      {"550 5.7.23 Message rejected due to: SPF fail", Kind::Refuse, "550 5.7.23 Message rejected due to: SPF fail"},
      {"421 4.7.0 bye", Kind::Refuse, "421 4.7.0 bye"},
      {"DEFER_IF_PERMIT Greylisted", Kind::DeferIfPermit, "450 4.7.1 Greylisted"},
      {"defer_if_reject wait", Kind::DeferIfReject, "450 4.7.1 wait"},
      {"DISCARD", Kind::Discard, ""},
      {"HOLD look at it", Kind::Hold, "look at it"},
      {"PREPEND X-Greylist: delayed 300 seconds", Kind::Prepend, "X-Greylist: delayed 300 seconds"},
      {"REDIRECT a@b.example", Kind::Redirect, "a@b.example"},
      {"BCC a@b.example", Kind::Copy, "a@b.example"},
      {"FILTER smtp:[127.0.0.1]:10025", Kind::Filter, "127.0.0.1:10025"},
      {"filter smtp:192.0.2.1", Kind::Filter, "192.0.2.1"},
      {"FILTER relay:scan.example:10025", Kind::Filter, "scan.example:10025"},
      {"FILTER smtp:[scan.example]", Kind::Filter, "scan.example"},
      {"FILTER smtp:[::1]:10025", Kind::Filter, "[::1]:10025"},
      {"FILTER smtp:[IPv6:2001:db8::1]:26", Kind::Filter, "[2001:db8::1]:26"},
      {"INFO seen", Kind::Info, "seen"},
      {"WARN odd", Kind::Warn, "odd"},
  };
  for (const auto& [text, kind, rest] : kRows) {
    CAPTURE(text);
    const auto action = parse_action(text);
    REQUIRE(action);
    CHECK(action->kind == kind);
    CHECK(action->text == rest);
  }
  CHECK(parse_action("DEFER")->is_temporary());
  CHECK_FALSE(parse_action("REJECT")->is_temporary());
}

TEST_CASE("policy action: what cannot be done is an error that quotes it") {
  for (const auto* text : {"", "   ", "ACCEPT", "250 fine", "55", "5500", "FILTER", "FILTER smtp:", "FILTER scan:here:25", "FILTER smtp:[192.0.2.1]x", "FILTER smtp:a.example:0", "FILTER smtp:smtp://a.example", "PREPEND", "PREPEND no colon", "PREPEND two words: x", "REDIRECT",
                           "REDIRECT <a@b.example>", "BCC nobody", "check_client_access hash:/etc/x"}) {
    CAPTURE(text);
    const auto action = parse_action(text);
    REQUIRE_FALSE(action);
    CHECK(action.error().fault == base::Fault::Temporary);
    CHECK(action.error().cause.starts_with("action '"));
  }
}
