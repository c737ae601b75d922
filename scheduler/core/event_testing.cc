#include "scheduler/core/event_testing.h"

#include "absl/strings/str_cat.h"

namespace rm::scheduler::testing {

pb::Event Submit(const std::string& job, int ranks) {
  pb::Event event;
  pb::SubmitJob& submit = *event.mutable_submit();
  submit.set_job_id(job);
  submit.set_user("ada");
  pb::JobSpec& spec = *submit.mutable_spec();
  spec.set_name(job);
  spec.mutable_resources()->set_ranks_min(ranks);
  spec.mutable_resources()->set_ranks_max(ranks);
  spec.mutable_resources()->set_slots_per_rank(1);
  spec.mutable_scheduling()->set_priority(50);
  spec.mutable_scheduling()->set_max_restarts(5);
  spec.mutable_scheduling()->set_grace_period(30);
  spec.mutable_scheduling()->set_recovery_grace(300);
  return event;
}

pb::Event Cancel(const std::string& job) {
  pb::Event event;
  event.mutable_cancel()->set_job_id(job);
  return event;
}

pb::Event Kill(const std::string& job) {
  pb::Event event = Cancel(job);
  event.mutable_cancel()->set_kill(true);
  return event;
}

pb::Event Pause(const std::string& job) {
  pb::Event event;
  event.mutable_pause()->set_job_id(job);
  return event;
}

pb::Event Resume(const std::string& job) {
  pb::Event event;
  event.mutable_resume()->set_job_id(job);
  return event;
}

pb::Event Verdict(const std::string& job, const std::vector<std::string>& errors) {
  pb::Event event;
  event.mutable_preflight()->set_job_id(job);
  event.mutable_preflight()->mutable_errors()->Assign(errors.begin(), errors.end());
  return event;
}

pb::Event Attach(const std::string& worker, int slots) { return Attach(worker, slots, {}); }

pb::Event Attach(const std::string& worker, int slots, const std::vector<pb::RankRef>& running) {
  pb::Event event;
  pb::WorkerAttached& attached = *event.mutable_worker_attached();
  attached.set_worker_id(worker);
  attached.set_host(absl::StrCat("h-", worker));
  attached.set_slots(slots);
  attached.set_version("1");
  attached.mutable_running()->Assign(running.begin(), running.end());
  return event;
}

pb::Event Lost(const std::string& worker) {
  pb::Event event;
  event.mutable_worker_lost()->set_worker_id(worker);
  return event;
}

pb::Event Started() {
  pb::Event event;
  event.mutable_coordinator_started();
  return event;
}

pb::Event Tick() {
  pb::Event event;
  event.mutable_tick();
  return event;
}

pb::RankRef Ref(const std::string& job, int64_t generation, int rank) {
  pb::RankRef ref;
  ref.set_job_id(job);
  ref.set_generation(generation);
  ref.set_rank(rank);
  return ref;
}

pb::Event Listening(const pb::RankRef& rank) {
  pb::Event event;
  *event.mutable_rank_listening()->mutable_rank() = rank;
  event.mutable_rank_listening()->set_address(
      absl::StrCat("10.0.0.", rank.rank(), ":", 5000 + rank.generation()));
  return event;
}

pb::Event Joined(const pb::RankRef& rank, int64_t first_step) {
  pb::Event event;
  *event.mutable_rank_joined()->mutable_rank() = rank;
  event.mutable_rank_joined()->set_first_step(first_step);
  return event;
}

pb::Event Exited(const pb::RankRef& rank, int code, int64_t step) {
  pb::Event event;
  *event.mutable_rank_exited()->mutable_rank() = rank;
  event.mutable_rank_exited()->set_exit_code(code);
  event.mutable_rank_exited()->set_step(step);
  return event;
}

pb::Event Killed(const pb::RankRef& rank, int signal, int64_t step) {
  pb::Event event = Exited(rank, 0, step);
  event.mutable_rank_exited()->set_signal(signal);
  return event;
}

pb::Event PeerLost(const pb::RankRef& rank, int64_t step) {
  pb::Event event = Exited(rank, 75, step);
  event.mutable_rank_exited()->mutable_cause()->set_code("PeerLost");
  return event;
}

pb::Event Refused(const pb::RankRef& rank) {
  pb::Event event;
  *event.mutable_start_refused()->mutable_rank() = rank;
  event.mutable_start_refused()->mutable_cause()->set_sentence("no memory");
  return event;
}

pb::Event Checkpoint(const pb::RankRef& rank, int64_t step) {
  pb::Event event;
  pb::CheckpointCommitted& committed = *event.mutable_checkpoint_committed();
  *committed.mutable_rank() = rank;
  committed.set_step(step);
  committed.set_path(absl::StrCat("/c/", rank.job_id(), "/", step));
  return event;
}

pb::Event Done(const pb::RankRef& rank, int64_t step) {
  pb::Event event;
  *event.mutable_training_done()->mutable_rank() = rank;
  event.mutable_training_done()->set_step(step);
  return event;
}

pb::Event AttachApart(const std::string& worker, int slots,
                      const std::vector<pb::RankRef>& running) {
  pb::Event event = Attach(worker, slots, running);
  event.mutable_worker_attached()->set_storage_problem("no such folder");
  return event;
}

pb::Event Silent(const std::string& worker) {
  pb::Event event;
  event.mutable_worker_silent()->set_worker_id(worker);
  event.mutable_worker_silent()->mutable_cause()->set_sentence("nothing was heard for 1.5 s");
  return event;
}

pb::Event Heard(const std::string& worker) {
  pb::Event event;
  event.mutable_worker_heard()->set_worker_id(worker);
  return event;
}

pb::Event Hung(const pb::RankRef& rank, int64_t step, const std::string& code) {
  pb::Event event;
  *event.mutable_rank_hung()->mutable_rank() = rank;
  event.mutable_rank_hung()->set_step(step);
  event.mutable_rank_hung()->mutable_cause()->set_code(code);
  return event;
}

pb::Event NoticeOf(const pb::RankRef& rank, const std::string& code) {
  pb::Event event;
  *event.mutable_rank_notice()->mutable_rank() = rank;
  event.mutable_rank_notice()->mutable_notice()->set_code(code);
  event.mutable_rank_notice()->mutable_notice()->set_sentence("people should know");
  return event;
}

pb::Event By(const std::string& worker, pb::Event event) {
  event.set_reported_by(worker);
  return event;
}

}  // namespace rm::scheduler::testing
