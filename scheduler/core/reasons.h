// What the core says: one code and one sentence with names and numbers for every transition it
// draws.
//
// Codes are stable: people's scripts compare them. Sentences are for people and may change.
//
//   of jobs              when
//   Submitted            it was submitted and waits for slots
//   Preflight            it was submitted and waits until a worker has checked it
//   PreflightPassed      it was checked; it waits for slots
//   PreflightFailed      the check found errors; all of them are in the sentence
//   Placed               its gang has its slots and starts
//   AllRanksJoined       every rank is in the collective
//   RankLost             a rank died, or its worker came back without it
//   (a rank's own code)  a rank said itself why it failed
//   WorkerLost           a worker was lost, and ranks with it
//   PeerLost             a rank left because a peer was gone, and nothing else is known
//   RankLeftEarly        a rank left with exit code 0 before the training was done
//   StartRefused         a worker could not start a rank
//   RankHung             a rank lives and makes no progress while its peers wait for it
//   GangStandsStill      all ranks are in the same collective, and none makes progress
//   StartTimeout         ranks of a gang that comes up give no sign of life
//   (a notice's own)     something people should know, that changes nothing; without one: Notice
//   NextGeneration       the lost ranks have new slots; generation g+1 starts
//   WaitingForSlots      the lost ranks have none yet
//   NoPlace              a gang that came up lost a rank, and goes back to the queue
//   RecoveryGraceOver    it waited for slots in vain, and goes back to the queue
//   QueueTimeout         it was in the queue for its queue_timeout
//   TimeLimit            it had a gang for its time_limit
//   Cancelled, Killed    its user ended it
//   Preempted            it makes room for a job that the policy puts first, and goes back to the queue
//   Paused, Resumed      its user paused it, let it go on
//   GraceOver            what is left of a stopping gang is killed
//   TrainingDone         it is trained to its end
//
//   of workers           when
//   Attached, ReAttached a worker came, came back
//   CoordinatorStarted   it has not come back since the coordinator started
//   AdoptWindowOver      it stayed away for too long
//   WorkerSilent         nothing is heard of it: a suspect
//   WorkerHeard          it is heard again
//   StorageNotShared     it attached, and does not see the cluster's storage
//   WorkerLost           the coordinator has given it up
//   SlotsChanged         it came back with another number of slots: all that ran there is lost
//
// Pure functions: safe from any thread that may read the state.
#ifndef RM_SCHEDULER_CORE_REASONS_H_
#define RM_SCHEDULER_CORE_REASONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// "1 slot", "2 slots".
std::string CountText(int64_t count, absl::string_view noun);

pb::Reason MakeReason(absl::string_view code, std::string sentence);

// "rank 1 of job a on host h2 (worker w2)".
std::string RankName(const ClusterState& state, const Job& job, int32_t rank);
// "2 ranks on worker w1", "3 ranks on workers w1, w2"; from 5 workers on "64 ranks on 8 workers".
std::string GangText(const std::vector<pb::Placement>& gang);
std::string GangText(const Job& job);
// "its last checkpoint is of step 500", "it has no checkpoint".
std::string CheckpointText(const Job& job);
// `reason` with the CheckpointText behind it: the last word on a job that leaves its gang.
pb::Reason WithCheckpoint(const Job& job, const pb::Reason& reason);

// -- losses
// A rank that failed, crashed or was killed: its own code when it gave one, else RankLost.
pb::Reason RankLostReason(const ClusterState& state, const Job& job, const pb::RankExited& event);
// A rank that left because a peer was gone, while it is not known which.
pb::Reason PeerLostReason(const ClusterState& state, const Job& job, const pb::RankExited& event);
// Rank `rank` left with exit code 0 although the training is not done.
pb::Reason LeftEarlyReason(const ClusterState& state, const Job& job, int32_t rank);
// Ranks that are gone with their worker, or that it came back without; `how` stands between the
// worker and them ("was lost, and with it", "came back without").
pb::Reason GoneOnWorkerReason(absl::string_view code, const Worker& worker, const Job& job,
                              const std::vector<int32_t>& ranks, absl::string_view how);
pb::Reason StartRefusedReason(const ClusterState& state, const Job& job,
                              const pb::StartRefused& event);
// A rank that the coordinator found to hang, to stand still with its gang, or not to come up.
pb::Reason HungReason(const ClusterState& state, const Job& job, const pb::RankHung& event);
pb::Reason NoticeReason(const ClusterState& state, const Job& job, const pb::RankNotice& event);
// `cause` as the end of the job: it was the loss after which no restart is left, or it came again
// at the same step.
pb::Reason RestartsUsedUpReason(const Job& job, const pb::Reason& cause);
pb::Reason FailedAgainReason(const Job& job, const pb::Reason& cause);

// -- what people asked for
// Preflight when a worker must check the job first, else Submitted.
pb::Reason SubmittedReason(const pb::SubmitJob& submission);
pb::Reason PreflightPassedReason(const Job& job);
// With every error that the preflight found.
pb::Reason PreflightFailedReason(const Job& job);
pb::Reason CancelledReason(const Job& job, bool kill);
pb::Reason PausedReason(const Job& job);
pb::Reason ResumedReason(const Job& job);

// -- the way of a gang
// The first generation of a stay: which one it is, how many ranks, on which workers.
pb::Reason PlacedReason(const Job& job, const std::vector<pb::Placement>& gang);
// The next generation after a loss, and from which checkpoint it goes on.
pb::Reason ReplacedReason(const Job& job, const std::vector<pb::Placement>& gang);
pb::Reason JoinedReason(const Job& job);
// Trained to its end.
pb::Reason DoneReason(const Job& job);
pb::Reason WaitingForSlotsReason(const ClusterState& state, const Job& job);
// A gang that was coming up lost a rank, and nothing is free in its place.
pb::Reason NoPlaceReason(const Job& job);
// It makes room for `winner` under `policy`: who, why, and from where it goes on. `moves`: to start
// again on other workers at once.
pb::Reason PreemptedReason(const Job& job, const Job* winner, absl::string_view policy, bool moves);

// -- timers
pb::Reason QueueTimeoutReason(const Job& job);
pb::Reason TimeLimitReason(const Job& job);
pb::Reason RecoveryGraceReason(const Job& job);
pb::Reason GraceOverReason(const Job& job);
// The training is done and some ranks stay.
pb::Reason LeaveOverReason(const Job& job, absl::Duration window);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_REASONS_H_
