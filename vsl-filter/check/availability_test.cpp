// What is available in which stage: the table of vsl.md 3.15, by the checker and when it runs.
#include <doctest/doctest.h>

#include <filesystem>

#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::load;

namespace {

struct Row {
  const char* call;
  const char* is_available;  // in each stage: '.' no; 'o' yes; 's' no, but at run time it is remembered or harmless
};

Session session_at(Stage stage) {
  Session session = testing::session(stage);
  session.connection.is_authenticated = stage > Stage::Authenticate;
  if (stage >= Stage::Authenticate) session.connection.credentials = Credentials{Credentials::Kind::Verify, "u", "p"};
  return session;
}

}  // namespace

TEST_CASE("rules 3.15: what is available in which stage") {
  const std::string app = (std::filesystem::temp_directory_path() / ("vsmtp-availability-" + std::to_string(::getpid()))).string();
  const Row kRows[] = {
      {"client_ip()", "ooooooooo"},
      {"client_port()", "ooooooooo"},
      {"client_address()", "ooooooooo"},
      {"server_ip()", "ooooooooo"},
      {"server_port()", "ooooooooo"},
      {"server_address()", "ooooooooo"},
      {"server_name()", "ooooooooo"},
      {"connection_timestamp()", "ooooooooo"},
      {"is_secured()", "ooooooooo"},
      {"is_authenticated()", "ooooooooo"},
      {"auth()", "..ooooooo"},
      {"helo()", ".oooooooo"},
      {"mail_from()", "...oooooo"},
      {"message_id()", "...oooooo"},
      {"mail_timestamp()", "...oooooo"},
      {"rcpt()", "....ooooo"},
      {"rcpt_list()", "ooooooooo"},
      {"has_header(\"x\")", "ooooooooo"},
      {"get_header(\"x\")", "ooooooooo"},
      {"count_header(\"x\")", "ooooooooo"},
      {"set_header(\"x\", \"1\")", "ooooooooo"},
      {"append_header(\"x\", \"1\")", "ooooooooo"},
      {"prepend_header(\"x\", \"1\")", "ooooooooo"},
      {"rename_header(\"x\", \"y\")", "ooooooooo"},
      {"remove_header(\"x\")", "ooooooooo"},
      {"mail()", "......ooo"},
      {"body()", "......ooo"},
      {"mime::parts()", "......ooo"},
      {"add_rcpt_message(\"a@b.example\")", "......ooo"},
      {"rewrite_mail_from_message(\"a@b.example\")", "......ooo"},
      {"rewrite_mail_from_envelop(\"a@b.example\")", "...oooooo"},
      {"bcc(\"a@b.example\")", "ss.oooooo"},
      {"add_rcpt_envelop(\"a@b.example\")", "ss.oooooo"},
      {"remove_rcpt_envelop(\"a@b.example\")", "ss.oooooo"},
      {"rewrite_rcpt_envelop(\"a@b.example\", \"c@d.example\")", "ss.oooooo"},
      {"deliver_all()", "ss.oooooo"},
      {"forward_all(\"192.0.2.1\")", "ss.oooooo"},
      {"write(\"a\")", "...oooooo"},
      {"dump(\"a\")", "...oooooo"},
      {"quarantine(\"a\")", "oosoooooo"},
      {"accept(\"250 x\")", "ooooooooo"},
      {"faccept(\"250 x\")", "ooooooooo"},
      {"deny(\"550 x\")", "ooooooooo"},
      {"info(\"250 x\")", "ooooooooo"},
      {"packet(\"x\")", "..o......"},
      {"check_mail_relay([])", "...oooooo"},
      {"check_rcpt_relay([])", "....o...."},
      {"lookup(\"192.0.2.1\")", "ooooooooo"},
      {"log(\"debug\", \"x\")", "ooooooooo"},
      {"date()", "ooooooooo"},
      {"time()", "ooooooooo"},
      {"hostname()", "ooooooooo"},
      {"user_exist(\"root\")", "ooooooooo"},
      {"toml::server.domain", "ooooooooo"},
  };
  for (const Row& row : kRows) {
    for (const StageRow& at : kStages) {
      const char expected = row.is_available[static_cast<std::size_t>(at.stage)];
      CAPTURE(std::string(row.call));
      CAPTURE(std::string(at.name));
      const auto rules = load("#{ " + std::string(at.name) + ": [ action \"a\" || { let value = " + row.call + "; } ] }", testing::site(nullptr, {{"rules.app_directory", app}}));
      REQUIRE(rules->is_usable());
      const bool is_told = testing::mistakes(*rules).find("cannot be used in stage") != std::string::npos;
      CHECK(is_told == (expected != 'o'));
      Session session = session_at(at.stage);
      const auto failure = run_stage(*rules, session, at.stage).failure;
      CAPTURE(failure);
      CHECK(failure.empty() == (expected != '.'));
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(app, ignored);
}

TEST_CASE("rules 3.15: what is too early says from when on it is there") {
  struct Early {
    const char* call;
    Stage stage;
    const char* text;
  };
  for (const Early& row : {
           Early{"helo()", Stage::Connect, "the field: `helo` is not defined yet, it only is available from the `helo` stage"},
           {"mail_from()", Stage::Helo, "the field: `mail_from` is not defined yet, it only is available from the `mail` stage"},
           {"message_id()", Stage::Connect, "the field: `message_id` is not defined yet, it only is available from the `mail` stage"},
           {"rcpt()", Stage::Mail, "the field: `rcpt` is not defined yet, it only is available from the `rcpt` stage"},
           {"mail()", Stage::Rcpt, "the field: `mail` is not defined yet, it only is available from the `preq` stage"},
           {"ctx().helo", Stage::Connect, "the field: `helo` is not defined yet, it only is available from the `helo` stage"},
           {"ctx::rcpt()", Stage::Helo, "the field: `rcpt` is not defined yet, it only is available from the `rcpt` stage"},
       }) {
    CAPTURE(std::string(row.call));
    Session session = session_at(row.stage);
    const auto told = testing::ask(row.stage, "fn caught(f) { try { f.call(); } catch (e) { return e; } \"nothing\" }", std::string("caught(|| ") + row.call + ")", session);
    CHECK(told == row.text);
  }
}
