-- Rules of FOCUS 1.2 over a table of charges: for each rule, how many rows break it.
-- Source: FOCUS_Spec 1.2, specification/columns; the rules that a file of planned charges can break.
select
    count_if(BilledCost is null or not isfinite(BilledCost)) as "BilledCost is a number",
    count_if(EffectiveCost is null or not isfinite(EffectiveCost)) as "EffectiveCost is a number",
    count_if(ListCost is null or not isfinite(ListCost)) as "ListCost is a number",
    count_if(ContractedCost is null or not isfinite(ContractedCost)) as "ContractedCost is a number",
    count_if(coalesce(BillingAccountId, '') = '') as "BillingAccountId is not null",
    count_if(coalesce(BillingAccountName, 'x') = '') as "BillingAccountName is null or says something",
    count_if(BillingAccountType is null) as "BillingAccountType is not null",
    count_if(not coalesce(regexp_full_match(BillingCurrency, '[A-Z]{3}'), false)) as "BillingCurrency is an ISO 4217 code",
    count_if(coalesce(InvoiceIssuerName, '') = '') as "InvoiceIssuerName is not null",
    count_if(coalesce(ProviderName, '') = '') as "ProviderName is not null",
    count_if(coalesce(PublisherName, '') = '') as "PublisherName is not null",
    count_if(coalesce(ServiceName, '') = '') as "ServiceName is not null",
    count_if(coalesce(SubAccountId, '') <> '' and SubAccountType is null) as "SubAccountType is told with SubAccountId",
    count_if(ChargePeriodStart is null or ChargePeriodEnd is null or ChargePeriodStart >= ChargePeriodEnd)
        as "a charge period ends after it starts",
    count_if(BillingPeriodStart is null or BillingPeriodEnd is null or BillingPeriodStart >= BillingPeriodEnd)
        as "a billing period ends after it starts",
    count_if(ChargePeriodStart < BillingPeriodStart or ChargePeriodEnd > BillingPeriodEnd)
        as "a charge lies within its billing period",
    count_if(ChargeCategory is null or ChargeCategory not in ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'))
        as "ChargeCategory is one of the five",
    count_if(ChargeClass is not null and ChargeClass <> 'Correction') as "ChargeClass is null or Correction",
    count_if(ChargeFrequency is null or ChargeFrequency not in ('One-Time', 'Recurring', 'Usage-Based'))
        as "ChargeFrequency is one of the three",
    count_if(ChargeCategory = 'Purchase' and ChargeFrequency = 'Usage-Based') as "a purchase is not usage-based",
    count_if(ChargeCategory = 'Purchase' and EffectiveCost <> 0) as "a purchase for later use has no effective cost",
    count_if(ServiceCategory is null or ServiceCategory not in (
        'AI and Machine Learning', 'Analytics', 'Business Applications', 'Compute', 'Databases', 'Developer Tools',
        'Multicloud', 'Identity', 'Integration', 'Internet of Things', 'Management and Governance', 'Media',
        'Migration', 'Mobile', 'Networking', 'Security', 'Storage', 'Web', 'Other'
    )) as "ServiceCategory is one of the list",
    count_if(ServiceSubcategory is null) as "ServiceSubcategory is not null",
    count_if(PricingCategory not in ('Standard', 'Dynamic', 'Committed', 'Other'))
        as "PricingCategory is one of the four",
    count_if(ChargeCategory in ('Usage', 'Purchase') and PricingCategory is null)
        as "PricingCategory is told for usage and purchases",
    count_if(ChargeCategory in ('Usage', 'Purchase') and PricingQuantity is null)
        as "PricingQuantity is told for usage and purchases",
    count_if((PricingQuantity is null) <> (PricingUnit is null)) as "PricingUnit stands with PricingQuantity",
    count_if((ConsumedQuantity is null) <> (ConsumedUnit is null)) as "ConsumedUnit stands with ConsumedQuantity",
    count_if(ConsumedQuantity is not null and ChargeCategory <> 'Usage') as "only usage is consumed",
    count_if(ChargeCategory in ('Usage', 'Purchase') and (SkuId is null or SkuPriceId is null))
        as "SkuId and SkuPriceId are told for usage and purchases",
    count_if(ListUnitPrice < 0 or ContractedUnitPrice < 0) as "unit prices are not negative",
    count_if(abs(ListCost - ListUnitPrice * PricingQuantity) > 1e-9 * greatest(1, abs(ListCost)))
        as "ListCost is ListUnitPrice x PricingQuantity",
    count_if(abs(ContractedCost - ContractedUnitPrice * PricingQuantity) > 1e-9 * greatest(1, abs(ContractedCost)))
        as "ContractedCost is ContractedUnitPrice x PricingQuantity",
    count_if(Tags is not null and not json_valid(Tags)) as "Tags are JSON"
from charges
