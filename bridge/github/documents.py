"""The GraphQL that the bridge speaks: one query to see, and one mutation document per act.

Every document is validated in the tests against GitHub's published types.
Source: https://docs.github.com/en/graphql/reference
"""

LOOK = """
query Look($owner: String!, $name: String!, $base: String!, $baseRef: String!,
           $head: String!, $headRef: String!, $gate: String!,
           $built: String!, $wantsHistory: Boolean!, $path0: String!) {
  viewer { login databaseId }
  repository(owner: $owner, name: $name) {
    id
    url
    base: ref(qualifiedName: $baseRef) { target { oid ...Files } }
    head: ref(qualifiedName: $headRef) {
      id
      target {
        oid
        ...Files
        ... on Commit {
          changedFilesIfAvailable
          parents(first: 2) { nodes { oid ...Files } }
          status { context(name: $gate) { state description } }
        }
      }
    }
    built: object(expression: $built) @include(if: $wantsHistory) {
      oid
      ... on Commit { history(first: 31) { nodes { oid messageHeadline } } ...Files }
    }
    method: viewerDefaultMergeMethod
    queue: mergeQueue(branch: $base) { id }
    ours: pullRequests(headRefName: $head, baseRefName: $base, first: 20,
                       orderBy: {field: CREATED_AT, direction: DESC}) { nodes { ...Seen } }
  }
}

fragment Files on Commit {
  file0: file(path: $path0) { mode object { oid ... on Blob { text isTruncated } } }
}

fragment Seen on PullRequest {
  id number url state isDraft isCrossRepository headRefOid changedFiles mergedAt
  mergeable mergeStateStatus reviewDecision isInMergeQueue viewerCanEnableAutoMerge
  autoMergeRequest { enabledAt }
  commits { totalCount }
  mergeCommit { oid }
  author { login ... on User { databaseId } ... on Bot { databaseId } }
  mergedBy { login ... on User { databaseId } ... on Bot { databaseId } }
  statusCheckRollup { state contexts(first: 1) { totalCount } }
  approvals: reviews(states: [APPROVED]) { totalCount }
  headRef { id }
}
"""


def look(count: int) -> str:
    """LOOK for `count` files: each has a variable and an alias of its own."""
    variable, file = (
        "$path0: String!",
        LOOK[LOOK.index("  file0:") : LOOK.index("\n}\n\nfragment S")],
    )
    numbers = [str(number) for number in range(count)]
    variables = ", ".join(variable.replace("0", number) for number in numbers)
    files = "\n".join(file.replace("0", number) for number in numbers)
    return LOOK.replace(variable, variables).replace(file, files)


PULLS = """
query Pulls($ids: [ID!]!) {
  nodes(ids: $ids) {
    id ... on PullRequest {
      state isDraft headRefOid mergeable reviewDecision statusCheckRollup { state }
      approvals: reviews(states: [APPROVED]) { totalCount }
    }
  }
}
"""

REVIEWS = """
query Reviews($pulls: [ID!]!, $owner: String!, $name: String!, $built: String!, $tag: String!) {
  nodes(ids: $pulls) {
    ... on PullRequest {
      reviews: latestOpinionatedReviews(first: 100) {
        nodes { state submittedAt commit { oid } author { login ... on User { databaseId } } }
      }
      commits(last: 100) { nodes { commit { oid ...Authors } } }
    }
  }
  repository(owner: $owner, name: $name) {
    built: object(expression: $built) { ... on Commit { oid ...Authors } }
    tag: ref(qualifiedName: $tag) { target { ... on Tag { tagger { user { login databaseId } } } } }
  }
}

fragment Authors on Commit {
  authors(first: 20) { nodes { user { login databaseId } } }
}
"""

PROPOSE = """
mutation Propose($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!,
                 $pull: CreatePullRequestInput!,
                 $needsBranch: Boolean!, $needsCommit: Boolean!) {
  branch: createRef(input: $ref) @include(if: $needsBranch) { ref { id } }
  commit: createCommitOnBranch(input: $commit) @include(if: $needsCommit) { commit { oid url } }
  pull: createPullRequest(input: $pull) { pullRequest { id number url headRefOid } }
}
"""

DRAFT = """
mutation Draft($start: UpdateRefsInput!, $commit: CreateCommitOnBranchInput!,
               $pull: UpdatePullRequestInput!) {
  start: updateRefs(input: $start) { clientMutationId }
  commit: createCommitOnBranch(input: $commit) { commit { oid url } }
  pull: updatePullRequest(input: $pull) { pullRequest { id number url headRefOid } }
}
"""

SWAP = """
mutation Swap($input: UpdateRefsInput!) { swap: updateRefs(input: $input) { clientMutationId } }
"""

MERGE = """
mutation Merge($input: MergePullRequestInput!) {
  merge: mergePullRequest(input: $input) { pullRequest { merged mergeCommit { oid } } }
}
"""

MERGE_LATER = """
mutation MergeLater($input: EnablePullRequestAutoMergeInput!) {
  later: enablePullRequestAutoMerge(input: $input) { clientMutationId }
}
"""

HOLD = """
mutation Hold($input: DisablePullRequestAutoMergeInput!) {
  hold: disablePullRequestAutoMerge(input: $input) { clientMutationId }
}
"""

ENQUEUE = """
mutation Enqueue($input: EnqueuePullRequestInput!) {
  enqueue: enqueuePullRequest(input: $input) { clientMutationId }
}
"""

CLOSE = """
mutation Close($comment: AddCommentInput!, $pull: ClosePullRequestInput!, $ref: DeleteRefInput!,
               $hasRef: Boolean!) {
  comment: addComment(input: $comment) { clientMutationId }
  pull: closePullRequest(input: $pull) { pullRequest { closed } }
  ref: deleteRef(input: $ref) @include(if: $hasRef) { clientMutationId }
}
"""

DELETE_BRANCH = """
mutation DeleteBranch($input: DeleteRefInput!) {
  ref: deleteRef(input: $input) { clientMutationId }
}
"""
