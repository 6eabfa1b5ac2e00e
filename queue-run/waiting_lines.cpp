#include "queue-run/waiting_lines.h"

namespace run {
namespace {

template <class T>
void take_out_of(ByPriority<T>& lines, int priority, typename std::list<T>::iterator place) {
  const auto line = lines.find(priority);
  line->second.erase(place);
  if (line->second.empty()) lines.erase(line);
}

}  // namespace

Schedule::Lane& Schedule::Transport::lane_of(Destination& destination, const Job& job) {
  const SenderKey key{age_of(job), job.priority, job.sender};
  auto& sender = senders[key];
  if (!sender) sender = std::make_unique<Sender>(Sender{.age = key.age, .priority = key.priority, .number = key.number, .lanes = {}, .turn = {}});
  auto& lane = destination.lanes[sender.get()];
  if (lane) return *lane;
  lane = std::make_unique<Lane>(Lane{.destination = &destination, .sender = sender.get(), .jobs = {}, .place = {}});
  ++sender->known;
  list(*lane);
  return *lane;
}

void Schedule::Transport::list(Lane& lane) {
  Sender& sender = *lane.sender;
  if (sender.lanes.empty()) {
    auto& line = turns[sender.age][sender.priority];
    sender.turn = line.insert(line.end(), &sender);
  }
  lane.place = sender.lanes.insert(sender.lanes.end(), &lane);
  lane.is_parked = lane.was_served = false;
}

void Schedule::Transport::unlist(Lane& lane) {
  Sender& sender = *lane.sender;
  if (lane.is_parked) {
    take_out_of(lane.destination->parked[sender.age], sender.priority, lane.place);
    return;
  }
  sender.lanes.erase(lane.place);
  if (sender.lanes.empty()) take_out_of(turns[sender.age], sender.priority, sender.turn);
}

// One that had a place waits behind the others; one that came in vain keeps its turn.
void Schedule::Transport::park(Lane& lane) {
  unlist(lane);
  auto& line = lane.destination->parked[lane.sender->age][lane.sender->priority];
  lane.place = line.insert(lane.was_served ? line.end() : line.begin(), &lane);
  lane.is_parked = true;
}

void Schedule::Transport::rotate(Lane& lane) {
  Sender& sender = *lane.sender;
  sender.lanes.splice(sender.lanes.end(), sender.lanes, lane.place);
  auto& line = turns[sender.age].find(sender.priority)->second;
  line.splice(line.end(), line, sender.turn);
}

void Schedule::Transport::forget(Lane& lane) {
  unlist(lane);
  Sender& sender = *lane.sender;
  lane.destination->lanes.erase(&sender);
  if (--sender.known == 0) senders.erase({sender.age, sender.priority, sender.number});
}

void Schedule::Transport::unpark(Destination& destination, Milliseconds now) {
  const std::size_t places = destination.places(now);
  for (auto& parked : destination.parked) {
    for (std::size_t i = 0; i < places && !parked.empty(); ++i) {
      Lane& lane = *parked.begin()->second.front();
      unlist(lane);
      list(lane);
    }
  }
}

}  // namespace run
