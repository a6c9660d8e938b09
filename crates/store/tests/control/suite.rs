//! Each case of the suite, once for every engine.

macro_rules! cases {
    ($($module:ident: $($case:ident),* $(,)?;)*) => {
        mod sqlite {
            $($(#[tokio::test] async fn $case() { crate::$module::$case(&crate::place::sqlite()).await; })*)*
        }
        mod postgres {
            $($(#[tokio::test] async fn $case() { crate::$module::$case(&crate::place::postgres()).await; })*)*
        }
    };
}

cases! {
    changes:
        an_instance_is_founded_once,
        members_sign_in_and_out,
        the_last_admin_stays,
        programs_are_recognised_until_they_are_revoked,
        a_server_is_registered_changed_and_removed,
        who_was_slower_is_told,
        names_are_taken,
        versions_of_a_policy_never_change,
        a_policy_in_use_stays,
        a_grant_from_minting_to_revocation,
        an_agent_that_is_made_for_a_grant_is_made_with_it,
        a_rotated_token_overlaps,
        unused_grants_are_listed,
        definitions_are_accepted,
        calls_are_stopped_and_resumed,
        every_change_is_an_event,
        a_change_that_is_dropped_has_not_happened,
        secrets_are_sealed_anew,
        what_serves_once_serves_once,
        a_backup_restores_into_either_engine;
    decisions:
        decisions_are_shipped_once_with_their_outcomes,
        decisions_are_filtered_and_come_in_pages,
        decisions_of_another_organisation_are_as_good_as_none,
        old_decisions_are_forgotten_and_others_are_not,
        what_a_chain_may_not_say_of_anothers_calls;
    isolation:
        an_organisation_neither_sees_nor_changes_anothers,
        nothing_of_another_organisation_can_be_named;
    leases:
        a_lease_is_renewed_and_ends,
        a_replica_reads_all_and_then_what_changed,
        versions_are_seen_in_their_order;
    stacks:
        several_servers_are_kept_in_their_order,
        servers_and_their_policies_change_at_once_or_not_at_all,
        a_server_that_goes_leaves_a_grant_for_several,
        no_server_or_policy_of_another_organisation_is_among_them,
        a_backup_of_the_first_layout_is_restored;
    repeated:
        a_request_is_done_once_and_answered_again,
        a_request_of_which_nothing_happened_may_come_again,
        keys_are_ones_own;
}
