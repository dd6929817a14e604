"""Addresses that show no list, and the one that asks more with more rows; with why."""

# why -> the names of the addresses
NO_LIST = {
    "files about one thing, all of it in few queries": """
        api-carbon-evidence auction-bundle auction-indicative auction-result bill-message
        bill-pdf bulletin-pdf carbon-evidence confirmation-pdf contract-pdf dispute-evidence
        document export-file export-manifest payout-advice payout-batch-message
        pool-benchmarks-template report-file retirement-certificate
    """,
    "forms about one thing": """
        auction-bid-preview calendar-edit counter-reset-new delivery-give-up dispute-answer
        dispute-new dispute-ruling dispute-say file-layout-subject hub-edit invitation
        link-edit listing-edit listing-edit-preview netting-obligation-new order-change
        password-reset-link pool-benchmarks pool-edit product-edit project-change
        recognition-agreement-change recognition-cover registry-project-issue
        registry-project-register second-factor-reset suggestion-answer tax-invoice-new
        units-retire units-transfer voucher-new
    """,
    "programs do something to one thing": """
        api-admission-approve api-admission-reject api-admission-suspend
        api-agreement-change api-agreement-status api-agreement-version-approve
        api-agreement-version-refuse api-auction-cancel api-auction-extend api-auction-halt
        api-auction-rerun api-auction-resume api-bank-statements api-carbon-statement-close
        api-carbon-statement-correct api-contract-decline api-contract-sign
        api-delivery-accept api-delivery-hand-over api-delivery-reveal-access
        api-dispute-answer api-dispute-insist api-dispute-messages api-dispute-withdraw
        api-factor-set-approve api-factor-set-refuse api-listing-pause api-listing-resume
        api-listing-withdraw api-monthly-statement-confirm api-monthly-statement-object
        api-netting-cycle-compute api-netting-cycle-failures api-netting-cycle-freeze
        api-netting-cycle-obligations api-netting-cycle-settle api-operator-request-approve
        api-operator-request-refuse api-order-cancel api-order-change
        api-registry-file-confirm api-registry-file-discard api-registry-project-issue-ccer
        api-registry-project-register-ccer api-replacement-duty-meet api-token
        api-unit-reservation-release api-voucher-redeem api-webhook api-webhook-redelivery
        api-webhook-test
    """,
    "people do something to one thing, or confirm that they will": """
        admission-approve admission-reject admission-suspend api-token-revoke auction-cancel
        auction-check auction-extend auction-halt auction-rerun auction-resume
        bank-confirm-all bank-match-confirm bank-match-drop bank-match-undo
        capacity-maintenance carbon-close carbon-correct contract-collect contract-decline
        contract-send contract-sign contract-void counter-reset-approve counter-reset-refuse
        default-approve default-continue default-reject delivery-accept delivery-access
        delivery-hand-over delivery-readings dispute-insist dispute-withdraw document-decide
        export-delete factor-set-decide funds-approve-deposits funds-approve-limits
        funds-approve-withdrawals funds-reject-deposits funds-reject-limits
        funds-reject-withdrawals hub-delete invitation-withdraw listing-maintenance
        listing-maintenance-remove listing-pause listing-resume listing-withdraw
        meter-key-end monthly-statement-confirm monthly-statement-object
        netting-cycle-compute netting-cycle-freeze netting-cycle-settle
        netting-cycle-take-out notification order-cancel parked-resolve parked-retry
        payout-batch-approve payout-batch-refuse payout-reject period-change-approve
        period-change-reject period-hard-close period-reopen period-soft-close pool-offline
        pool-online recognition-agreement-resume recognition-agreement-suspend
        recognition-version-approve recognition-version-reject registry-file-confirm
        registry-file-discard report-export role-take ruling-approve ruling-reject
        security-deposit-approve security-deposit-ask security-deposit-keep
        security-deposit-reject security-deposit-return session-end standing-bid-change
        tax-approve tax-reject tax-request-failed tax-request-issued tax-request-red
        tax-request-red-cancel tax-request-red-issued tax-request-retry tax-request-withdraw
        two-person-approve two-person-refuse two-person-withdraw voucher-approve
        voucher-programme-approve voucher-programme-end voucher-programme-reject
        voucher-recall voucher-reject voucher-use webhook-redeliver webhook-switch
        webhook-test
    """,
}
# what asks more with more rows -> why that is left
GROWING = {
    ("report run-comparison", "finance"): "each run of the span is compared with those before it",
}
