#include "vsl-filter/modes/tests.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/queue/spool.h"
#include "vsl-filter/modes/changes.h"
#include "vsl-filter/loading.h"
#include "vsl-filter/modes/playback.h"
#include "vsl-filter/stages/stages.h"
#include "vsl-filter/modes/test_file.h"

namespace rules {
namespace {

constexpr int kExitFailed = 1;
constexpr std::uint64_t kLargestMessage = std::uint64_t{256} << 20;
using Mistakes = std::vector<std::string>;

// Where rules under test keep what they write: gone with the test.
class Folder {
 public:
  Folder() {
    std::error_code ignored;
    path_ = (std::filesystem::temp_directory_path(ignored) / "vsl-filter-test.XXXXXX").string();
    is_made_ = ::mkdtemp(path_.data()) != nullptr;
  }
  ~Folder() {
    std::error_code ignored;
    if (is_made_) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] bool is_made() const { return is_made_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool is_made_ = false;
};

// Lines of a script end with LF, those of a message with CR LF.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

std::string status_text(const StageResult& result) {
  std::string text = base::text::to_lower(name_of(result.status.kind));
  if (!result.status.name.empty()) text += " " + result.status.name;
  if (const auto reply = reply_of(result.status)) text += " " + reply->words();
  return text;
}

class CaseRun {
 public:
  CaseRun(const TestFile& file, const TestCase& test, const base::Settings& settings) : file_(file), test_(test), settings_(settings) {}

  Mistakes run() {
    if (!folder_.is_made()) return {"no temporary folder could be made"};
    // In the settings, so that toml::rules shows these folders too: services may have their files there.
    base::Settings settings = settings_;
    for (const std::string key : {"app_directory", "state_directory"}) {
      const std::string folder = folder_.path() + "/" + key;
      std::error_code failed;
      std::filesystem::create_directory(folder, failed);
      if (failed) return {folder + ": " + failed.message()};
      if (const auto set = settings.set(*base::find_setting("rules." + key), folder); !set) return {set.error().cause};
    }
    if (const auto spool = queue::Spool::create(folder_.path() + "/spool"); !spool) return {spool.error().cause};
    if (const auto set = settings.set(*base::find_setting("queue.spool"), folder_.path() + "/spool"); !set) return {set.error().cause};
    Site site = site_of(settings);
    site.log = [this](LogLevel level, std::string_view text) {
      if (level >= LogLevel::Warn) log_ += "    log: " + base::text::printable(text, 500) + "\n";
    };
    site.now = [this] { return now_; };
    if (std::ranges::any_of(test_.steps, [](const TestStep& step) { return step.dns.has_value(); }))
      site.look_up = [this](const std::string& name, net::dns::Type type) { return zone_.answer(name, type); };
    auto rules = RuleSet::load(test_.rules, std::move(site));
    if (!rules) return {rules.error().cause};
    if (!(*rules)->is_usable()) return {"the rules have errors:\n" + vsl::render((*rules)->diagnostics(), (*rules)->sources())};
    for (std::size_t i = 0; i < test_.steps.size(); ++i) {
      step_ = test_.steps.size() > 1 ? "step " + std::to_string(i + 1) + ": " : "";
      play_step(**rules, test_.steps[i]);
    }
    if (!mistakes_.empty() && !log_.empty()) mistakes_.back() += "\n" + log_.substr(0, log_.size() - 1);
    return std::move(mistakes_);
  }

 private:
  void miss(std::string text) { mistakes_.push_back(step_ + std::move(text)); }
  void compare(std::string_view what, std::string_view expected, std::string_view is) {
    if (expected != is) miss(std::string(what) + " is '" + std::string(is) + "', expected '" + std::string(expected) + "'");
  }

  void play_step(const RuleSet& rules, const TestStep& step) {
    now_ += step.after;
    zone_ = step.dns.value_or(TestZone());
    if (step.time) now_ = *base::parse_rfc3339(*step.time) + step.after;
    auto message = message_of(step);
    if (!message) return miss(message.error().cause);
    const auto view = message->view();
    if (!view) return miss(view.error().cause);
    GivenFacts given;
    given.client_ip = step.client_ip;
    given.helo = step.helo;
    given.user = step.user;
    given.client_port = step.client_port;
    given.reverse_path = step.from;
    given.recipients = step.to;
    given.is_secured = step.is_secured;
    auto scenario = Scenario::of(facts_of(view->octets()), given, *message, now_);
    scenario.time = now_;
    scenario.standing = step.standing;
    Session session;
    session.connection.server_name = rules.site().domain;
    const auto played = play(session, scenario, [&](Session& of, Stage stage) { return run_stage(rules, of, stage); });
    if (!played) return miss(played.error().cause);
    check_statuses(step, *played);
    if (step.verdict) check_verdict(*step.verdict, *played);
    check_message(step, session);
    if (step.expect.is_function()) check_closure(rules, step, session);
  }

  base::Result<base::Blob> message_of(const TestStep& step) const {
    if (step.file.empty()) return base::Blob::of_octets(with_crlf(step.message.empty() ? "Subject: test\n\ntest\n" : step.message));
    auto octets = base::read_file(step.file, kLargestMessage);
    if (!octets) return std::unexpected(octets.error());
    return base::Blob::of_octets(std::move(*octets));
  }

  void check_statuses(const TestStep& step, const Played& played) {
    for (const auto& [stage, texts] : step.statuses) {
      std::vector<std::string> are;
      std::string failure;
      for (const auto& event : played.events) {
        if (event.stage != stage) continue;
        are.push_back(status_text(event.result));
        if (!event.result.failure.empty()) failure = "; " + event.result.failure;
      }
      const auto name = std::string(name_of(stage));
      if (are.size() < texts.size()) miss(name + " was reached " + std::to_string(are.size()) + " times, expected " + std::to_string(texts.size()));
      for (std::size_t i = 0; i < std::min(are.size(), texts.size()); ++i)
        if (!begins(are[i], texts[i])) miss(name + " is '" + are[i] + "', expected '" + texts[i] + "'" + failure);
    }
  }
  // Whole words of it: "deny 554 5.7.1 No" begins "deny 554 5.7.1 No, thank you".
  static bool begins(std::string_view text, std::string_view start) {
    if (!text.starts_with(start)) return false;
    const char next = text.size() == start.size() ? ' ' : text[start.size()];
    return !base::text::is_alpha(next) && !base::text::is_digit(next) && next != '-' && next != '_';
  }

  void check_verdict(const std::string& expected, const Played& played) {
    std::string is(name_of(played.end));
    if (!played.quarantine.empty()) is += " " + played.quarantine;
    // "accept", "quarantine NAME" are as good.
    static constexpr std::pair<std::string_view, std::string_view> kShort[] = {
        {"accept", "accepted"}, {"deny", "refused"}, {"refuse", "refused"}, {"defer", "deferred"}, {"hold", "held"}, {"quarantine", "quarantined"}};
    const auto [word, rest] = base::text::split_once(expected, ' ');
    std::string wanted = expected;
    for (const auto& [brief, full] : kShort)
      if (word == brief) wanted = std::string(full) + (rest.empty() ? "" : " " + std::string(rest));
    if (!begins(is, wanted)) miss("verdict is '" + is + (played.reply.empty() ? "" : ": " + played.reply) + "', expected '" + expected + "'");
  }

  void check_message(const TestStep& step, Session& session) {
    auto* transaction = session.transaction();
    for (const auto& [name, value] : step.headers) {
      if (transaction == nullptr || !transaction->message) {
        miss("there is no message with a header");
        break;
      }
      const auto& header = transaction->message->header();
      if (!value) {
        if (header.has(name)) miss("field " + name + " is there: '" + header.get(name) + "'");
      } else if (!header.has(name)) {
        miss("field " + name + " is missing, expected '" + *value + "'");
      } else {
        compare("field " + name, *value, header.get(name));
      }
    }
    if (step.recipients) {
      const auto join = [](const std::vector<std::string>& all) {
        std::string text;
        for (const auto& each : all) text += (text.empty() ? "" : ", ") + each;
        return text;
      };
      std::vector<std::string> are;
      if (transaction != nullptr)
        for (const auto& recipient : transaction->recipients.all()) are.push_back(recipient.address);
      compare("the list of recipients", join(*step.recipients), join(are));
    }
    for (const auto& [recipient, expected] : step.transports) {
      std::string is = "no recipient";
      if (transaction != nullptr)
        for (const auto& each : transaction->recipients.all())
          if (each.address == recipient) is = text_of(each.transfer);
      compare("the transport of " + recipient, expected, is);
    }
  }

  void check_closure(const RuleSet& rules, const TestStep& step, Session& session) {
    Scene scene{rules.site(), &session, session.transaction() != nullptr && session.transaction()->message ? Stage::Delivery : Stage::Connect};
    vsl::Run run(file_.program(), rules.budget(), &scene, sinks_of(rules.site()));
    const auto result = run.call(step.expect);
    if (!result) return miss("'expect' failed: " + vsl::render(result.error(), file_.program().sources()));
    if (!result->is_bool()) return miss("'expect' gives " + std::string(vsl::type_name(*result)) + ", expected true");
    if (!result->as_bool()) miss("'expect' gives false");
  }

  const TestFile& file_;
  const TestCase& test_;
  const base::Settings& settings_;
  Folder folder_;
  base::WallTime now_ = base::wall_now();
  TestZone zone_;
  std::string log_, step_;
  Mistakes mistakes_;
};

std::string result_text(const std::string& file, const TestCase& test, const Mistakes& mistakes, const Options& options) {
  if (options.as_json) {
    const nlohmann::ordered_json json = {{"file", file}, {"test", test.name}, {"passed", mistakes.empty()}, {"mistakes", mistakes}};
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  const std::string green = options.has_colour ? "\x1b[32m" : "", red = options.has_colour ? "\x1b[31m" : "", plain = options.has_colour ? "\x1b[0m" : "";
  if (mistakes.empty()) return green + "ok" + plain + " " + file + ": " + test.name + "\n";
  std::string text = red + "not ok" + plain + " " + file + ": " + test.name + "\n";
  for (const auto& mistake : mistakes) text += "    " + mistake + "\n";
  return text;
}

// Where rules were named instead of their tests: those, if they are there.
std::string beside_rules(const std::string& name) {
  constexpr std::string_view kExtension = ".vsl", kTests = "_test.vsl";
  if (!name.ends_with(kExtension) || name.ends_with(kTests)) return {};
  auto tests = name.substr(0, name.size() - kExtension.size()) + std::string(kTests);
  return ::access(tests.c_str(), R_OK) == 0 ? tests : std::string();
}

}  // namespace

int run_tests(const base::Settings& settings, const Options& options) {
  std::size_t passed = 0, failed = 0;
  int failure = 0;
  const bool has_colour = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const auto print = [](const std::string& text) { (void)base::write_all(STDOUT_FILENO, text); };
  for (const auto& name : options.files) {
    const auto file = TestFile::load(name, site_of(settings));
    if (!file) {
      failure = base::report(kManual.program, file.error());
      continue;
    }
    const auto& loaded = (*file)->loaded();
    if (loaded.diagnostics.has_errors() || (loaded.diagnostics.warnings() > 0 && !options.is_quiet))
      (void)base::write_all(STDERR_FILENO, vsl::render(loaded.diagnostics, loaded.sources(), has_colour));
    if (loaded.diagnostics.has_errors()) {
      failure = base::exit_row(base::Fault::Config).by_hand;
      if (const auto tests_beside = beside_rules(name); !tests_beside.empty())
        (void)base::write_all(STDERR_FILENO, std::string(kManual.program) + ": --test takes the file of the tests: is it " + tests_beside + "?\n");
    }
    for (const auto& test : (*file)->cases()) {
      const auto mistakes = CaseRun(**file, test, settings).run();
      ++(mistakes.empty() ? passed : failed);
      if (!options.is_quiet || !mistakes.empty()) print(result_text(name, test, mistakes, options));
    }
  }
  if (!options.is_quiet && !options.as_json) print(std::to_string(passed) + " passed, " + std::to_string(failed) + " failed\n");
  if (failure != 0) return failure;
  return failed == 0 ? 0 : kExitFailed;
}

}  // namespace rules
