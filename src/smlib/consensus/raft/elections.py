"""Elections: who may lead, in a term of its own.

A node that has heard of no leader for long enough begins a new term, votes for itself, and asks the others. Each node
has one vote in a term, given to whoever asks first, so there is at most one majority, and one leader, in a term. If
nobody wins, because several have asked at once, they wait for times drawn at random, and the first one asks again.

A vote is refused to a candidate whose log is behind one's own. That is why a leader needs to fetch nothing: an entry is
committed when a majority has it, a leader has votes of a majority, the two have a node in common, and that one would
not have voted for a log without the entry.

The vote and the term are persisted before the answer leaves (that is the contract of `Ready`): a node that forgets its
vote votes twice.

*Pre-vote.* A node that is cut off times out again and again. When it is back, its high term would depose a leader whom
all others are content with. So it first asks *whether* it would be elected, and begins the new term only if so. A node
says no as long as it hears a leader.

*Transfer.* A candidate whom the leader has asked to stand asks at once, and nobody protects that leader.

Cost: two messages to each of the others, two more with pre-vote.

Ongaro & Ousterhout (2014), sections 5.2 and 5.4.1; Ongaro, *Consensus* (2014), sections 3.10, 4.2.3 and 9.6.
"""

from __future__ import annotations

from smlib.consensus.raft.log import RaftLog
from smlib.consensus.raft.messages import RequestVote, VoteReply
from smlib.consensus.raft.node import CANDIDATE, LEADER, PRE_CANDIDATE, Node
from smlib.consensus.raft.quorums import VoteResult, vote_result


def start_election(node: Node, transfer: bool = False) -> None:
    """Ask whether it would be elected, or, without pre-vote or on the leader's behalf, stand at once."""
    node.draw_timeout()
    node.leader = None
    if node.options.pre_vote and not transfer:
        node.role = PRE_CANDIDATE
        ask_for_votes(node, node.term + 1, pre_vote=True, transfer=False)
        count_answer(node, node.id, True)
    else:
        stand(node, transfer)


def stand(node: Node, transfer: bool = False) -> None:
    """Begin a new term as its candidate. Its own vote counts when it is persisted: `count_own_vote`."""
    node.role = CANDIDATE
    node.term += 1
    node.vote = node.id
    ask_for_votes(node, node.term, pre_vote=False, transfer=transfer)


def ask_for_votes(node: Node, term: int, *, pre_vote: bool, transfer: bool) -> None:
    """Ask all others for their votes in a term."""
    node.votes = {}
    last_index, last_term = node.log.last_index, node.log.last_term()
    for other in node.others:
        node.outbox.append(RequestVote(node.id, other, term, last_index, last_term, pre_vote, transfer))


def receive_request_vote(node: Node, message: RequestVote) -> None:
    """Grant a vote or refuse it, in the term that is asked for."""
    granted = (
        not protects_leader(node, message)
        and has_vote_left(node, message)
        and is_up_to_date(node.log, message.last_index, message.last_term)
    )
    if granted and not message.pre_vote:
        node.vote = message.sender
        node.draw_timeout()
    term = message.term if granted else node.term
    node.outbox.append(VoteReply(node.id, message.sender, term, granted, message.pre_vote))


def has_vote_left(node: Node, message: RequestVote) -> bool:
    """Return whether its vote in that term is not given to another one. (A pre-vote may ask for a term to come.)"""
    return node.vote in (None, message.sender) or message.term > node.term


def is_up_to_date(log: RaftLog, last_index: int, last_term: int) -> bool:
    """Return whether a log that ends so is not behind this one: the later term is ahead, then the longer log."""
    return (last_term, last_index) >= (log.last_term(), log.last_index)


def protects_leader(node: Node, message: RequestVote) -> bool:
    """Return whether it takes no notice of a candidate, for it hears a leader who has not asked to be replaced."""
    if message.transfer or not (message.pre_vote or node.options.check_quorum):
        return False
    return node.role is LEADER or node.ticks - node.heard_at < node.options.election_ticks


def receive_vote_reply(node: Node, message: VoteReply) -> None:
    """Count an answer to what it asks at the moment; one to an earlier question is of no interest."""
    if message.pre_vote:
        current = node.role is PRE_CANDIDATE and (not message.granted or message.term == node.term + 1)
    else:
        current = node.role is CANDIDATE
    if current:
        count_answer(node, message.sender, message.granted)


def count_own_vote(node: Node) -> None:
    """Count the vote of a candidate for itself, which has been persisted."""
    count_answer(node, node.id, True)


def count_answer(node: Node, voter: int, granted: bool) -> None:
    """Count an answer, and act on the result as soon as there is one."""
    record_answer(node, voter, granted)
    result = vote_result(node.votes.values(), len(node.peers))
    if result is VoteResult.LOST:
        node.become_follower(node.term)
    elif result is VoteResult.WON:
        if node.role is PRE_CANDIDATE:
            stand(node)
        else:
            node.become_leader()


def record_answer(node: Node, voter: int, granted: bool) -> None:
    """Note a node's answer; one that comes twice counts once."""
    node.votes.setdefault(voter, granted)
