#include "scheduler/state/queue.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::scheduler {
namespace {

Job NewJob(int64_t sequence, int priority) {
  Job job;
  job.sequence = sequence;
  job.submission.mutable_spec()->mutable_scheduling()->set_priority(priority);
  return job;
}

int64_t ByPriority(const Job& job) { return -job.scheduling().priority(); }

std::vector<int64_t> Order(const Queue& queue) {
  std::vector<int64_t> order;
  for (const Job* job = queue.First(); job != nullptr; job = queue.After(*job)) {
    order.push_back(job->sequence);
  }
  return order;
}

TEST_CASE("jobs stand in order of rank, and of submission where ranks are equal") {
  const Job one = NewJob(1, 5);
  const Job two = NewJob(2, 9);
  const Job three = NewJob(3, 5);
  Queue queue(&ByPriority);
  for (const Job* job : {&three, &one, &two}) queue.Set(*job, true);
  CHECK(Order(queue) == std::vector<int64_t>{2, 1, 3});
  CHECK(queue.size() == 3);
}

TEST_CASE("an empty queue has no first job") {
  Queue queue(&ByPriority);
  CHECK(queue.First() == nullptr);
  CHECK(queue.After(NewJob(1, 1)) == nullptr);
}

TEST_CASE("membership is set once, however often it is said") {
  const Job job = NewJob(1, 5);
  Queue queue(&ByPriority);
  queue.Set(job, true);
  queue.Set(job, true);
  CHECK(queue.size() == 1);
  queue.Set(job, false);
  queue.Set(job, false);
  CHECK(queue.size() == 0);
}

TEST_CASE("the job after one that has left the queue is found by its place") {
  const Job one = NewJob(1, 5);
  const Job two = NewJob(2, 5);
  const Job three = NewJob(3, 5);
  Queue queue(&ByPriority);
  for (const Job* job : {&one, &two, &three}) queue.Set(*job, true);
  queue.Set(two, false);
  CHECK(queue.After(two) == &three);
}

TEST_CASE("jobs before another are counted up to a limit") {
  const Job one = NewJob(1, 5);
  const Job two = NewJob(2, 5);
  const Job three = NewJob(3, 5);
  Queue queue(&ByPriority);
  for (const Job* job : {&one, &two, &three}) queue.Set(*job, true);
  CHECK(queue.CountBefore(one, 10) == 0);
  CHECK(queue.CountBefore(three, 10) == 2);
  CHECK(queue.CountBefore(three, 1) == 1);
}

}  // namespace
}  // namespace rm::scheduler
