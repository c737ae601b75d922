// Worker messages in one line each, for the tests of this folder.
#ifndef RM_RUNTIME_WORKER_TESTING_H_
#define RM_RUNTIME_WORKER_TESTING_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/worker.pb.h"

namespace rm::worker {

inline ringmaster::v1::RankRef Ref(const std::string& job, int64_t generation = 1, int rank = 0) {
  ringmaster::v1::RankRef ref;
  ref.set_job_id(job);
  ref.set_generation(generation);
  ref.set_rank(rank);
  return ref;
}

// A report whose message the caller fills.
inline ringmaster::v1::WorkerMessage Report(const ringmaster::v1::RankRef& rank) {
  ringmaster::v1::WorkerMessage message;
  *message.mutable_report()->mutable_rank() = rank;
  return message;
}

inline ringmaster::v1::WorkerMessage Listening(const ringmaster::v1::RankRef& rank) {
  ringmaster::v1::WorkerMessage message = Report(rank);
  message.mutable_report()->mutable_message()->mutable_listening()->set_address("here:1");
  return message;
}

inline ringmaster::v1::WorkerMessage Joined(const ringmaster::v1::RankRef& rank) {
  ringmaster::v1::WorkerMessage message = Report(rank);
  message.mutable_report()->mutable_message()->mutable_joined()->set_first_step(0);
  return message;
}

inline ringmaster::v1::WorkerMessage ProgressAt(const ringmaster::v1::RankRef& rank, int64_t step) {
  ringmaster::v1::WorkerMessage message = Report(rank);
  message.mutable_report()->mutable_message()->mutable_progress()->set_step(step);
  return message;
}

inline ringmaster::v1::WorkerMessage EvaluatedAt(const ringmaster::v1::RankRef& rank,
                                                 int64_t step) {
  ringmaster::v1::WorkerMessage message = Report(rank);
  message.mutable_report()->mutable_message()->mutable_evaluated()->set_step(step);
  return message;
}

inline ringmaster::v1::WorkerMessage CommittedAt(const ringmaster::v1::RankRef& rank,
                                                 int64_t step) {
  ringmaster::v1::WorkerMessage message = Report(rank);
  message.mutable_report()->mutable_message()->mutable_committed()->set_step(step);
  return message;
}

inline ringmaster::v1::WorkerMessage ExitOf(const ringmaster::v1::RankRef& rank, int code) {
  ringmaster::v1::WorkerMessage message;
  *message.mutable_exited()->mutable_rank() = rank;
  message.mutable_exited()->set_exit_code(code);
  return message;
}

inline ringmaster::v1::WorkerMessage Log(const ringmaster::v1::RankRef& rank, int64_t offset,
                                         const std::string& data) {
  ringmaster::v1::WorkerMessage message;
  *message.mutable_log()->mutable_rank() = rank;
  message.mutable_log()->set_offset(offset);
  message.mutable_log()->set_data(data);
  return message;
}

// "a/1/0 progress 7", "a/1/0 exit 1", "a/1/0 log 100+3": the job, generation, rank and what is said.
inline std::string TextOf(const ringmaster::v1::WorkerMessage& message) {
  const auto name = [](const ringmaster::v1::RankRef& rank) {
    return absl::StrCat(rank.job_id(), "/", rank.generation(), "/", rank.rank(), " ");
  };
  if (message.has_hello()) return "hello";
  if (message.has_heartbeat()) return "heartbeat";
  if (message.has_preflight()) return absl::StrCat("preflight ", message.preflight().job_id());
  if (message.has_storage_probe()) {
    const auto& probe = message.storage_probe();
    return probe.problem().empty() ? "storage " + probe.content()
                                   : "storage problem " + probe.problem();
  }
  if (message.has_refused()) return name(message.refused().rank()) + "refused";
  if (message.has_log()) {
    return absl::StrCat(name(message.log().rank()), "log ", message.log().offset(), "+",
                        message.log().data().size());
  }
  if (message.has_exited()) {
    return absl::StrCat(name(message.exited().rank()), "exit ", message.exited().exit_code(),
                        message.exited().cause().code().empty() ? "" : " ",
                        message.exited().cause().code());
  }
  const auto& report = message.report().message();
  const std::string rank = name(message.report().rank());
  if (report.has_listening()) return rank + "listening";
  if (report.has_joined()) return rank + "joined";
  if (report.has_progress()) return absl::StrCat(rank, "progress ", report.progress().step());
  if (report.has_evaluated()) return absl::StrCat(rank, "evaluated ", report.evaluated().step());
  if (report.has_activity()) return absl::StrCat(rank, "activity ", report.activity().step());
  if (report.has_notice()) return absl::StrCat(rank, "notice ", report.notice().reason().code());
  if (report.has_committed()) return absl::StrCat(rank, "committed ", report.committed().step());
  if (report.has_finished()) return absl::StrCat(rank, "finished ", report.finished().step());
  if (report.has_failed()) return absl::StrCat(rank, "failed ", report.failed().reason().code());
  return rank + "nothing";
}

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_TESTING_H_
