#include "lib/net/metrics_service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/net/socket.h"

namespace net {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::size_t kMostClients = 16, kMostHeard = 8192;
constexpr std::uint64_t kClientMilliseconds = 5000, kFileMilliseconds = 10'000;

// In a file beside it and by its name: who reads it never sees a part.
base::Result<void> replace_file(const std::string& path, std::string_view octets) {
  const std::string beside = path + ".new";
  auto file = base::open_file(beside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!file) return std::unexpected(file.error());
  if (auto written = base::write_all(file->get(), octets); !written) return base::fail_within(beside, written.error());
  if (::rename(beside.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + beside + " to " + path);
  return {};
}

}  // namespace

base::Result<MetricsService> MetricsService::make(std::string_view setting, const std::vector<std::string>& places, Text text) {
  MetricsService service;
  service.text_ = std::move(text);
  for (const auto& place : places) {
    if (place.starts_with(kFile)) {
      service.files_.push_back(place.substr(kFile.size()));
      if (auto written = replace_file(service.files_.back(), service.text_()); !written) return base::fail(base::Fault::Config, std::string(setting) + ": " + written.error().cause);
      continue;
    }
    const auto address = Address::parse(place);
    if (!address) return base::fail(base::Fault::Config, std::string(setting) + ": " + address.error().cause + ", or file:PATH");
    auto socket = listen_on(*address, 16, 0660);
    if (!socket) return base::fail(base::Fault::Config, std::string(setting) + ": " + socket.error().cause);
    service.listeners_.push_back(std::move(*socket));
  }
  return service;
}

void MetricsService::add_watched(std::vector<pollfd>& watched) const {
  for (const auto& listener : listeners_)
    if (clients_.size() < kMostClients) watched.push_back({listener.get(), POLLIN, 0});
  for (const auto& client : clients_) watched.push_back({client.socket.get(), static_cast<short>(client.is_answered ? POLLOUT : POLLIN), 0});
}

void MetricsService::on_watched(const std::vector<pollfd>& watched) {
  const auto is_ready = [&](int fd) { return std::ranges::any_of(watched, [fd](const pollfd& one) { return one.fd == fd && one.revents != 0; }); };
  for (auto& client : clients_)
    if (is_ready(client.socket.get())) hear(client);
  std::erase_if(clients_, [](const Client& client) { return !client.socket.is_open(); });
  for (const auto& listener : listeners_)
    if (is_ready(listener.get()) && clients_.size() < kMostClients) accept(listener.get());
}

void MetricsService::accept(int listener) {
  base::UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.is_open()) clients_.push_back({.socket = std::move(socket), .heard = {}, .answer = {}, .is_answered = false, .ends = base::monotonic_milliseconds() + kClientMilliseconds});
}

// HTTP as far as it is needed: whatever is asked for, these are the metrics. Who says nothing and closes its side gets them without a header.
void MetricsService::hear(Client& client) {
  std::array<char, 4096> buffer{};
  while (!client.is_answered) {
    const auto got = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return client.socket.reset();
    client.heard.append(buffer.data(), static_cast<std::size_t>(got));
    const bool is_complete = client.heard.find("\r\n\r\n") != std::string::npos || client.heard.find("\n\n") != std::string::npos;
    if (got == 0 || is_complete || client.heard.size() > kMostHeard) answer(client, client.heard.starts_with("GET ") || client.heard.starts_with("HEAD "));
  }
  while (!client.answer.empty()) {
    const auto sent = ::send(client.socket.get(), client.answer.data(), client.answer.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return client.socket.reset();
    client.answer.erase(0, static_cast<std::size_t>(sent));
  }
  client.socket.reset();
}

void MetricsService::answer(Client& client, bool is_http) {
  client.is_answered = true;
  std::string text = text_();
  if (is_http)
    client.answer = "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\nContent-Length: " + std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n";
  if (!client.heard.starts_with("HEAD ")) client.answer += text;
}

void MetricsService::each_second() {
  const auto now = base::monotonic_milliseconds();
  std::erase_if(clients_, [now](const Client& client) { return client.ends <= now; });
  if (files_.empty() || now < next_files_) return;
  next_files_ = now + kFileMilliseconds;
  for (const auto& file : files_)
    if (const auto written = replace_file(file, text_()); !written) base::log::warning("metrics not written", {{"cause", written.error().cause}});
}

}  // namespace net
