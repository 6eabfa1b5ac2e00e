#include "lib/net/dns_cache.h"

#include <algorithm>

#include "lib/base/text.h"

namespace net::dns {

namespace {

std::string key_of(std::string_view name, Type type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string key = base::text::to_lower(name);
  key += '\0';
  return key += std::to_string(static_cast<unsigned>(type));
}

std::size_t octets_of(const std::string& key, const Answer& answer) {
  constexpr std::size_t kOverhead = 256;  // of lists, tables and the allocator
  std::size_t octets = kOverhead + 2 * key.size() + answer.canonical_name.size();
  for (const auto& record : answer.records) octets += sizeof(std::string) + record.size();
  return octets;
}

}  // namespace

void AnswerCache::Shard::forget(std::list<Kept>::iterator which) {
  octets -= which->octets;
  places.erase(which->key);
  kept.erase(which);
}

std::optional<Answer> AnswerCache::find(std::string_view name, Type type, std::uint64_t now) {
  const std::string key = key_of(name, type);
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place == shard.places.end()) return std::nullopt;
  const auto which = place->second;
  if (which->end <= now) {
    shard.forget(which);
    return std::nullopt;
  }
  shard.kept.splice(shard.kept.begin(), shard.kept, which);
  Answer answer = which->answer;
  answer.ttl_seconds = static_cast<std::uint32_t>((which->end - now) / 1000);
  return answer;
}

void AnswerCache::put(std::string_view name, Type type, const Answer& answer, std::uint64_t now) {
  if (answer.status == Status::Temporary || answer.status == Status::Bogus || answer.ttl_seconds == 0) return;
  const auto longest = answer.status == Status::Found ? kLongestSeconds : kLongestNegativeSeconds;
  std::string key = key_of(name, type);
  const auto octets = octets_of(key, answer);
  auto& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  if (const auto old = shard.places.find(key); old != shard.places.end()) shard.forget(old->second);
  if (octets > octets_of_shard_) return;
  while (shard.octets + octets > octets_of_shard_) shard.forget(std::prev(shard.kept.end()));
  shard.kept.push_front({std::move(key), answer, now + std::min<std::uint64_t>(answer.ttl_seconds, longest) * 1000, octets});
  shard.places.emplace(shard.kept.front().key, shard.kept.begin());
  shard.octets += octets;
}

void AnswerCache::clear() {
  for (auto& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    shard.places.clear();
    shard.kept.clear();
    shard.octets = 0;
  }
}

std::size_t AnswerCache::octets() const {
  std::size_t octets = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    octets += shard.octets;
  }
  return octets;
}

}  // namespace net::dns
