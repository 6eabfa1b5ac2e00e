// smtpd: speak ESMTP to clients and hand each message to a chain of programs. See smtpd(8).
#include <unistd.h>

#include <array>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/base/text.h"
#include "lib/net/metrics_service.h"
#include "smtpd/board.h"
#include "smtpd/configuration.h"
#include "smtpd/confinement.h"
#include "smtpd/handover.h"
#include "smtpd/listening.h"
#include "smtpd/meters.h"
#include "smtpd/one_session.h"
#include "smtpd/server.h"
#include "smtpd/supervisor.h"

namespace {

constexpr auto kSettings = std::to_array<std::string_view>({
    "smtp.listen",
    "smtp.listen_submission",
    "smtp.listen_submissions",
    "smtp.service",
    "smtp.workers",
    "smtp.chain",
    "smtp.chain_timeout",
    "smtp.chain_process_max",
    "smtp.policy",
    "smtp.policy_timeout",
    "smtp.policy_default_action",
    "smtp.policy_idle_max",
    "smtp.policy_connection_max",
    "tls.certificate",
    "tls.private_key",
    "tls.security_level",
    "tls.submission_security_level",
    "tls.cipher_suite",
    "tls.handshake_timeout",
    "tls.client_certificate",
    "tls.client_authorities",
    "tls.ticket_lifetime",
    "shield.file",
    "shield.rows",
    "shield.period",
    "shield.connection_rate",
    "shield.message_rate",
    "shield.recipient_rate",
    "shield.octet_rate",
    "shield.error_rate",
    "shield.failed_log_in_rate",
    "shield.good_time",
    "shield.network_factor",
    "shield.ban_time",
    "shield.ban_time_max",
    "shield.tarpit_error_count",
    "shield.tarpit_delay",
    "shield.tarpit_delay_max",
    "shield.tarpit_session_max",
    "shield.greeting_delay",
    "shield.early_talker",
    "shield.stress_percent",
    "shield.stress_timeout",
    "shield.stress_error_count",
    "shield.memory_high",
    "shield.descriptor_reserve",
    "queue.spool",
    "queue.free_min",
    "queue.free_inodes_min",
    "shield.dnsbl",
    "shield.dnsbl_threshold",
    "shield.dnsbl_action",
    "shield.dnsbl_service",
    "shield.dnsbl_timeout",
    "shield.exempt",
    "dns.server",
    "dns.resolv_conf",
    "server.domain",
    "server.user",
    "server.chroot",
    "server.sandbox",
    "server.sandbox_folders",
    "server.metrics",
    "server.memory_max",
    "server.client_count_max",
    "server.client_count_per_address_max",
    "delivery.local_domains",
    "delivery.srs_domain",
    "delivery.srs_secret_file",
    "delivery.srs_hash_length",
    "delivery.srs_max_age",
    "smtp.relay_domains",
    "smtp.relay_clients",
    "smtp.proxy_clients",
    "smtp.xclient_clients",
    "smtp.lmtp",
    "smtp.dsn",
    "smtp.greeting",
    "smtp.vrfy",
    "smtp.etrn",
    "smtp.disable_ehlo",
    "smtp.disable_extensions",
    "smtp.required_extension",
    "smtp.message_size_max",
    "smtp.message_memory_max",
    "smtp.message_memfd_max",
    "smtp.message_directory",
    "smtp.rcpt_count_max",
    "smtp.command_line_max",
    "smtp.text_line_max",
    "smtp.missing_fields",
    "smtp.non_ascii_header",
    "smtp.bare_line_end",
    "smtp.error_soft_count",
    "smtp.error_hard_count",
    "smtp.error_delay",
    "smtp.idle_command_max",
    "smtp.transaction_count_max",
    "smtp.timeout_connect",
    "smtp.timeout_helo",
    "smtp.timeout_mail_from",
    "smtp.timeout_rcpt_to",
    "smtp.timeout_line",
    "smtp.timeout_data",
    "smtp.data_time_max",
    "smtp.data_rate_min",
    "smtp.data_rate_time",
    "smtp.drain_timeout",
    "smtp.stop_timeout",
    "auth.mechanisms",
    "auth.allow_plaintext",
    "auth.required",
    "auth.password_file",
    "auth.check_password",
    "auth.check_password_timeout",
    "auth.check_token",
    "auth.check_max",
    "auth.failure_delay",
    "auth.failure_delay_max",
    "auth.failure_max",
    "auth.failure_address_max",
    "auth.failure_address_time",
});

constexpr auto kOptions = std::to_array<base::OptionRow>({base::service::kNotifyOption});

constexpr base::Manual kManual = {
    .program = "smtpd",
    .section = "8",
    .usage = "[--listen ADDRESS:PORT]... [options] [-- PROGRAM [ARGUMENT...] [-- PROGRAM...]]\n"
             "[options] [-- PROGRAM...] <session",
    .purpose = "Speaks ESMTP, on sockets that it listens on or for one client on descriptors 0 and 1, and gives each message to the programs behind --.",
    .examples = "smtpd --listen 2525 --local-domains example.org -- queue-inject\n"
                "smtpd --listen 0.0.0.0:25 --listen '[::]:25' --user vsmtp --workers 2 -- vsl-filter main.vsl -- unix:/run/vsmtp/queue\n"
                "tcpserver 0 25 smtpd -- queue-inject\n"
                "smtpd --local-domains example.org -- queue-inject <session.txt\n",
    .options = kOptions,
    .settings = kSettings,
};

}  // namespace

int main(int argc, char** argv) {
  auto handover = smtpd::Handover::take();
  auto command_line = base::CommandLine::parse(kManual, argc, argv);
  if (!command_line) return base::report(kManual.program, command_line.error());
  if (command_line->should_exit()) return 0;
  if (!command_line->arguments.empty())
    return base::report(kManual.program, {base::Fault::Usage, "unexpected argument '" + command_line->arguments.front() + "'; the programs of the chain stand behind --"});
  const auto& settings = command_line->settings;
  const auto kept = smtpd::Configuration::Kept::make(settings);
  if (!kept) return base::report(kManual.program, kept.error());
  auto configuration = smtpd::Configuration::from(*command_line, *kept);
  if (!configuration) return base::report(kManual.program, configuration.error());

  auto listening = smtpd::listening_sockets(*command_line, std::move(handover.sockets));
  if (!listening) return base::report(kManual.program, listening.error());
  if (const auto checked = smtpd::check_sandbox(settings, **configuration); !checked) return base::report(kManual.program, checked.error());
  if (!handover.is_given || ::geteuid() == 0)  // else they are gone
    if (const auto given_up = smtpd::give_up_rights(settings); !given_up) return base::report(kManual.program, given_up.error());
  if (listening->empty()) {
    if (const auto confined = smtpd::confine(*command_line, **configuration); !confined) return base::report(kManual.program, confined.error());
    return smtpd::serve_one_session(*configuration, smtpd::service_named(settings.text("smtp.service"), smtpd::Service::Smtp));
  }
  if (const auto taken = smtpd::take_descriptors(settings, **configuration); !taken) return base::report(kManual.program, taken.error());
  if (handover.is_trial) return 0;
  // A predecessor has used the descriptor of --notify-fd up; now it is something else.
  if (const auto known = base::service::configure(handover.is_given ? "" : command_line->text("notify-fd")); !known) return base::report(kManual.program, known.error());
  const auto board = smtpd::map_board(handover.board);
  if (!board) return base::report(kManual.program, board.error());

  auto metrics = net::MetricsService::make("server.metrics", settings.words("server.metrics"), [&] { return smtpd::open_metrics((*board)->meters, smtpd::gauges_of(**board)); });
  if (!metrics && !handover.is_given) return base::report(kManual.program, metrics.error());
  if (!metrics) {  // workers of the predecessor serve, and this process with them
    base::log::error("no metrics", {{"cause", metrics.error().cause}});
    metrics = net::MetricsService();
  }

  const bool are_workers_shut_in = base::is_confined(settings, smtpd::obstacle_of(**configuration));
  const auto read_again = [&]() -> base::Result<std::shared_ptr<const smtpd::Configuration>> {
    const auto again = base::CommandLine::parse(kManual, argc, argv);
    if (!again) return std::unexpected(again.error());
    auto read = smtpd::Configuration::from(*again, *kept);
    if (read && are_workers_shut_in)
      if (const auto program = smtpd::started_program(**read); !program.empty())
        return base::fail(base::Fault::Config, "'" + program + "' cannot be started from inside of the sandbox; expected: a restart (SIGUSR2)");
    return read;
  };
  const auto work = [&](const smtpd::Post& post) {
    *metrics = net::MetricsService();  // its sockets are the parent's
    if (const auto confined = smtpd::confine(*command_line, **configuration); !confined) return base::report(kManual.program, confined.error());
    smtpd::count_on(&(*board)->meters);
    smtpd::Server(*configuration, std::move(*listening), read_again, post).run();
    return 0;
  };
  const auto reload = [&] {
    base::log::reopen();
    if (auto again = read_again()) configuration = std::move(again);  // workers say what is wrong with it
  };
  return smtpd::supervise({
      .workers = settings.count("smtp.workers"),
      .work = work,
      .reload = reload,
      .try_successor = [&] { return smtpd::try_successor(argv, *listening, handover.board); },
      .succeed = [&](const std::string& old_workers) { smtpd::succeed(argv, *listening, handover.board, old_workers); },
      .old_workers = handover.old_workers,
      .board = *board,
      .each_second = settings.words("server.metrics").empty() ? std::function<void()>() : [&] { metrics->each_second(); },
      .add_watched = [&](std::vector<pollfd>& watched) { metrics->add_watched(watched); },
      .on_watched = [&](const std::vector<pollfd>& watched) { metrics->on_watched(watched); },
  });
}
