// The table of functions: every spelling of vsl.md appendix A, one policy in the styles of two versions (appendix E), threads.
#include "vsl-filter/api/api.h"

#include <doctest/doctest.h>

#include <thread>

#include "lib/base/text.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::load;
using testing::session;

TEST_CASE("api: every spelling of appendix A") {
  const Site site = testing::site();
  const Api api(site);
  struct Row { std::size_t arguments; const char* spellings; };
  // With a handle in front each takes one more.
  constexpr Row kRows[] = {
      {0, "next accept faccept deny state::next state::accept state::faccept state::deny status::next status::accept status::deny status::success vsl::next sys::deny"},
      {1, "quarantine state::quarantine status::quarantine info sys::info state::info packet sys::packet accept deny vsl::quarantine"},
      {2, "sys::quarantine code code::code obj::code"},
      {3, "code obj::code"},
      {0, "client_ip client_port client_address server_ip server_port server_address server_name connection_timestamp helo is_secured is_authenticated auth mail_from rcpt "
          "rcpt_list mail_timestamp message_id ctx msg srv"},
      {0, "ctx::client_ip ctx::client_port ctx::client_address ctx::server_ip ctx::server_port ctx::server_address ctx::server_name ctx::connection_timestamp ctx::helo "
          "ctx::is_secured auth::is_authenticated auth::credentials ctx::mail_from ctx::rcpt ctx::rcpt_list ctx::mail_timestamp ctx::message_id"},
      {1, "client_ip helo is_secured is_authenticated auth mail_from rcpt rcpt_list sender recipients mail mail_str message_id"},
      {1, "get_local_part get_domain get_local_parts get_domains new_address sys::new_address address obj::address ip4 ip6 rg4 rg6 fqdn regex identifier obj::fqdn"},
      {2, "file obj::file"},
      {1, "has_header get_header msg::has_header msg::get_header count_header msg::count_header remove_header msg::remove_header msg::rm_header get_all_headers "
          "msg::get_all_headers get_header_untouched msg::get_header_untouched"},
      {2, "append_header prepend_header set_header rename_header msg::append_header msg::prepend_header msg::set_header msg::rename_header get_headers has_header "
          "sys::has_header sys::get_header get_header_untouched"},
      {3, "sys::get_headers append_header sys::append_header"},
      {0, "mail msg::mail get_all_headers msg::get_all_headers"},
      {1, "rewrite_mail_from_message msg::rw_mail_from add_rcpt_message add_to msg::add_rcpt remove_rcpt_message remove_to msg::rm_rcpt"},
      {2, "rewrite_rcpt_message rewrite_to msg::rw_rcpt rewrite_rcpt_envelop rewrite_rcpt envelop::rw_rcpt envelop::rewrite_rcpt envelop::rewrite_mail_from"},
      {1, "rewrite_mail_from_envelop envelop::rw_mail_from envelop::rewrite_mail_from add_rcpt_envelop add_rcpt envelop::add_rcpt remove_rcpt_envelop remove_rcpt "
          "envelop::rm_rcpt envelop::remove_rcpt bcc envelop::bcc rewrite_mail_from"},
      {1, "deliver maildir mbox disable_delivery transport::deliver transport::maildir transport::mbox forward_all transport::forward_all"},
      {0, "deliver_all maildir_all mbox_all disable_delivery_all transport::deliver_all transport::maildir_all transport::mbox_all"},
      {2, "forward transport::forward deliver maildir mbox"},
      {1, "write dump fs::write fs::dump user_exist unix::user_exist env utils::env unix::env env::variable lookup dns::lookup rlookup dns::rlookup get_root_domain "
          "utils::get_root_domain in_domain check_mail_relay check_rcpt_relay check_relay log_warn"},
      {2, "log logging::log fs::write"},
      {0, "hostname unix::hostname utils::hostname date time::date time time::now"},
      {0, "code::c554_7_1 code::c550_7_20 code::c550_7_21 code::c550_7_22 code::c550_7_23 code::c550_7_24 code::c550_7_25 code::c500_7_26 code::c550_7_26 code::c550_7_27 "
          "code::c556_1_10 code::c451_7_1 code::c451_3_0 code::c550_1_1 net::rg_192 net::rg_172 net::rg_10 net::range_10 net::non_routable net::loopback net::private6"},
      {2, "set_variable"},
      {0, "authenticate auth::unix_users dns::resolver"},
      {1, "authenticate dns::resolver process::run set_routing_path"},
      {2, "lookup dns::lookup set_routing_path ctx::set_routing_path"},
      {3, "log logging::log send_mail sys::send_mail set_routing_path"},
      {4, "send_mail sys::send_mail"},
  };
  for (const Row& row : kRows) {
    for (const std::string_view spelling : base::text::split(row.spellings, ' ')) {
      CAPTURE(std::string(spelling));
      const auto at = spelling.rfind("::");
      const std::string_view space = at == std::string_view::npos ? "" : spelling.substr(0, at);
      const std::string_view name = at == std::string_view::npos ? spelling : spelling.substr(at + 2);
      CHECK(api.natives().find(space, name, row.arguments) != nullptr);
    }
  }
  for (const char* constant : {"code554_7_1", "code550_7_20", "code550_7_21", "code550_7_22", "code550_7_23", "code451_7_24", "code550_7_24", "code550_7_25", "code550_7_26",
                               "code550_7_27", "code556_1_10", "code_greylist", "net_192", "net_172", "net_10", "non_routable_net"})
    CHECK(api.natives().constant("", constant) != nullptr);
  for (const char* space : {"toml", "cfg", "config"})
    for (const char* name : {"server", "app", "queue", "smtp", "rules"}) CHECK(api.natives().constant(space, name) != nullptr);
}

TEST_CASE("api: every row says what it does") {
  const Site site = testing::site();
  const Api api(site);
  for (const vsl::NativeRow* row : api.natives().rows()) {
    CAPTURE(std::string(row->name));
    CHECK_FALSE(row->doc.empty());
  }
}

namespace {

constexpr const char* kStyleOne = R"(
object partners group = [ object p1 fqdn = "partner.example", object p2 rg4 = "203.0.113.0/24" ];
#{
    mail: [
        rule "own senders" || check_mail_relay(partners),
        rule "greeting name" || if ctx().helo is "localhost" { deny("550 5.7.1 who are you?") } else { next() },
    ],
    rcpt: [
        action "copy to audit" || if ctx().mail_from.domain == "partner.example" { bcc("audit@own.example") },
    ],
    preq: [
        rule "too many hops" || {
            if get_header("X-Hops") == "9" { return deny("554 5.4.6 loop"); }
            set_header("X-Hops", "1");
            next()
        },
    ],
    delivery: [
        action "local or not" || for r in ctx().rcpt_list {
            if in_domain(r) { maildir(r) } else { forward(r, "relay.own.example:2525") }
        },
    ],
})";

constexpr const char* kStyleTwo = R"(
const partners = [ fqdn("partner.example"), rg4("203.0.113.0/24") ];
#{
    mail: [
        rule "greeting name" || if ctx::helo() is "localhost" { state::deny(code(550, "5.7.1", "who are you?")) } else { state::next() },
    ],
    rcpt: [
        action "copy to audit" || if ctx::mail_from().domain == "partner.example" { envelop::bcc("audit@own.example") },
    ],
    preq: [
        rule "too many hops" || {
            if msg::get_header("X-Hops") == "9" { return state::deny("554 5.4.6 loop"); }
            msg::set_header("X-Hops", "1");
            state::next()
        },
    ],
    delivery: [
        action "local or not" || for r in ctx::rcpt_list() {
            if in_domain(r) { transport::maildir(r) } else { transport::forward(r, "relay.own.example:2525") }
        },
    ],
})";

std::string story(const RuleSet& rules, const std::string& helo) {
  Session transaction = session(Stage::Connect);
  transaction.helo(helo);
  transaction.mail("x@partner.example", "ID1", {});
  std::string text = testing::run(rules, transaction, Stage::Mail);
  transaction.rcpt("bob@own.example", {});
  transaction.rcpt("eve@else.example", {});
  text += "|" + testing::run(rules, transaction, Stage::Rcpt);
  (void)transaction.message(base::Blob::of_octets(std::string(testing::kMessage)));
  text += "|" + testing::run(rules, transaction, Stage::Preq);
  text += "|" + transaction.headers().get("X-Hops");
  text += "|" + testing::run(rules, transaction, Stage::Delivery);
  for (const Recipient& recipient : transaction.transaction()->recipients.all())
    text += "|" + recipient.address + " " + std::string(chain::name_of(recipient.transfer.method)) + " " + recipient.transfer.target.host;
  return text;
}

}  // namespace

TEST_CASE("api: one policy in the styles of two versions") {
  for (const char* script : {kStyleOne, kStyleTwo}) {
    const auto rules = load(script);
    REQUIRE(rules->is_usable());
    CHECK(testing::mistakes(*rules).empty());
    CHECK(story(*rules, "localhost").starts_with("deny 550 5.7.1 who are you?|deny"));
    CHECK(story(*rules, "mx.partner.example") ==
          "next|next|next|1|next|bob@own.example Maildir |eve@else.example Forward relay.own.example|audit@own.example Maildir ");
  }
}

TEST_CASE("api: a rule set is used by many threads at once") {
  const auto rules = load(std::string("object r regex = \"^x@\"; object many group = [ ip4(\"10.0.0.1\"), \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", fqdn(\"partner.example\"), r ];\n") +
                          "const m = #{ list: [ many ] };\n#{ mail: [ rule \"in\" || if mail_from() in many && mail_from().domain in m.list && toml::server.domain == \"gate.example\" { "
                          "accept(code554_7_1.to_string()) } else { deny() } ] }");
  REQUIRE(testing::mistakes(*rules).empty());
  std::vector<std::thread> threads;
  std::array<int, 4> right{};
  for (int& count : right)
    threads.emplace_back([&rules, &count] {
      for (int i = 0; i < 200; ++i) {
        Session transaction = session(Stage::Helo);
        transaction.mail("x@PARTNER.example", "ID1", {});
        count += testing::run(*rules, transaction, Stage::Mail) == "accept" ? 1 : 0;
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) CHECK(count == 200);
}

TEST_CASE("api: free settings reach the rules, secrets do not") {
  Site site = testing::site();
  site.settings.set_free("greeting", "hello");
  Session transaction = session(Stage::Mail);
  CHECK(testing::ask(Stage::Mail, "", "toml::rules.user.greeting + \" \" + srv().config.server.domain", transaction, site) == "hello gate.example");
  CHECK(testing::ask(Stage::Mail, "", "toml::rules.user.none == () && toml::server.nothing == ()", transaction, site) == "true");
  CHECK(testing::ask(Stage::Mail, "", "toml::nothing.at_all", transaction, site).starts_with("ERROR"));
}
