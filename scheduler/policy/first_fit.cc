#include "scheduler/policy/first_fit.h"

namespace rm::scheduler {

// The heads of all shapes are compared: there are few shapes, and each keeps its own order.
const Job* FirstThatMayFit(const PassView& view) {
  const Queue::Entry* first = nullptr;
  for (const auto& [shape, members] : view.state.queue().shapes()) {
    if (view.no_room.count(members.id) > 0) continue;
    const Queue::Entry& head = *members.entries.begin();
    if (first == nullptr || head < *first) first = &head;
  }
  return first == nullptr ? nullptr : first->job;
}

}  // namespace rm::scheduler
