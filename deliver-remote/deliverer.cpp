#include "deliver-remote/deliverer.h"

#include <utility>

namespace remote {

void Deliverer::deliver(Job job, Done done) {
  const auto on_done = [this, done = std::move(done)](Delivery& delivery, std::vector<Outcome> outcomes) {
    deliveries_.erase(&delivery);
    done(std::move(outcomes));
  };
  auto delivery = std::make_unique<Delivery>(resolver_, pool_, options_, std::move(job), on_done);
  auto& started = *delivery;
  deliveries_.emplace(&started, std::move(delivery));
  started.start();
}

}  // namespace remote
