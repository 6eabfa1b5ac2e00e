#include "smtpd/listening.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/net/socket.h"

namespace smtpd {
namespace {

using Sockets = std::vector<ListeningSocket>;

// From `before` if it is there.
base::Result<void> add(Sockets& sockets, Sockets& before, const net::Address& address, Service service) {
  const auto found = std::ranges::find_if(before, [&](const ListeningSocket& one) { return one.service == service && one.asked_for == address.text(); });
  if (found != before.end()) {
    sockets.push_back(std::move(*found));
    before.erase(found);
    return {};
  }
  auto socket = net::listen_on(address);
  if (!socket) return std::unexpected(socket.error());
  base::log::info("listening", {{"address", net::Address::of_local(socket->get()).text()}, {"service", kServiceNames[index(service)]}});
  sockets.push_back({std::move(*socket), service, address.text()});
  return {};
}

base::Result<void> add_loopback(Sockets& sockets, Sockets& before, const std::string& port, Service service) {
  for (const char* host : {"127.0.0.1:", "[::1]:"}) {
    const auto address = net::Address::parse(host + port);
    if (!address) return std::unexpected(address.error());
    const auto added = add(sockets, before, *address, service);
    const bool is_missing_family = !added && (added.error().error_number == EADDRNOTAVAIL || added.error().error_number == EAFNOSUPPORT);
    if (!added && !is_missing_family) return added;
  }
  return {};
}

bool listens(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

base::Result<void> add_from_inetd(Sockets& sockets, Service service) {
  base::UniqueFd socket(::fcntl(0, F_DUPFD_CLOEXEC, 3));
  if (!socket.is_open()) return base::fail_errno("dup descriptor 0");
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  sockets.push_back({std::move(socket), service});
  return {};
}

constexpr std::array<std::string_view, 3> kListenSettings = {"smtp.listen", "smtp.listen_submission", "smtp.listen_submissions"};

// Whether descriptor 0 is a session: tcpserver(1) and its like say PROTO, inetd(8) and systemd give the connection, a person
// a file. No other socket and no pipe: under a supervisor descriptor 0 may be any of these and means nothing.
bool is_session() {
  if (std::getenv("PROTO") != nullptr) return true;
  struct stat what;
  if (::fstat(0, &what) != 0) return false;
  if (S_ISREG(what.st_mode)) return true;
  sockaddr_storage peer;
  socklen_t length = sizeof peer;
  if (::getpeername(0, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return false;
  return peer.ss_family == AF_INET || peer.ss_family == AF_INET6;
}

// "smtp.listen_submission" is --listen-submission.
bool is_option(const base::CommandLine& line, std::string_view setting) {
  std::string option(setting.substr(setting.find('.') + 1));
  std::ranges::replace(option, '_', '-');
  return line.has(option);
}

base::Result<void> add_all(Sockets& sockets, Sockets& before, const base::Settings& settings, Service service) {
  const auto setting = kListenSettings[index(service)];
  for (const auto& text : settings.words(setting)) {
    const bool is_port = std::ranges::all_of(text, base::text::is_digit);
    const auto address = is_port ? net::Address() : net::Address::parse(text);
    if (!address) return base::fail(base::Fault::Config, std::string(setting) + ": " + address.error().cause + ", or a port alone");
    const auto added = is_port ? add_loopback(sockets, before, text, service) : add(sockets, before, *address, service);
    if (!added) return added;
  }
  return {};
}

}  // namespace

Service service_named(std::string_view name, Service otherwise) {
  const auto known = std::ranges::find(kServiceNames, name);
  return known != kServiceNames.end() ? static_cast<Service>(known - kServiceNames.begin()) : otherwise;
}

base::Result<Sockets> listening_sockets(const base::CommandLine& line, Sockets before) {
  const auto& settings = line.settings;
  auto inherited = net::inherited_listeners();
  const auto was_handed_over = [](const ListeningSocket& socket) { return socket.asked_for.empty(); };
  const bool is_handed_over = !inherited.empty() || std::ranges::any_of(before, was_handed_over) || listens(0) || is_session();
  Sockets sockets;
  for (const auto service : {Service::Smtp, Service::Submission, Service::Submissions}) {
    if (is_handed_over && !is_option(line, kListenSettings[index(service)])) continue;
    if (const auto added = add_all(sockets, before, settings, service); !added) return std::unexpected(added.error());
  }
  for (auto& socket : before)
    if (was_handed_over(socket)) sockets.push_back(std::move(socket));
  const Service nameless = service_named(settings.text("smtp.service"), Service::Smtp);
  for (auto& [fd, name] : inherited) sockets.push_back({std::move(fd), service_named(name, nameless)});
  if (sockets.empty() && listens(0)) {
    if (const auto added = add_from_inetd(sockets, nameless); !added) return std::unexpected(added.error());
  }
  return sockets;
}

}  // namespace smtpd
